"""Images attacked at each level of a flow."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ijsat_tf import checks
from ijsat_tf.attacks import OnManifoldPGD
from ijsat_tf.evaluation.figures.panels import draw, magnified
from ijsat_tf.evaluation.figures.saving import Paths, save
from ijsat_tf.flows import Glow
from ijsat_tf.spaces import Linf
from ijsat_tf.types import Tensor


def attacked_levels(
    model: Callable,
    flow: Glow,
    image: Tensor,
    label: int,
    path: Paths,
    etas: Sequence[float] = (0.02, 0.04, 0.1),
    steps: int = 10,
    seed: int = 0,
) -> None:
    """Draws an image attacked at each level of a flow (Eq. 14, Fig. 8).

    For each level i and each radius, the figure shows
    G(z_1, .., z_i + lambda_i, ..) and its difference from the image, magnified
    by one factor for all levels.

    Args:
        model: Function or Keras model from images to logits.
        flow: Flow G.
        image: Image (H, W, C) in [0, 1].
        label: Class of the image.
        path: Path of the picture to write, or several paths; their endings
            tell the formats.
        etas: Radii of lambda_i, per coordinate of the latents; default
            (0.02, 0.04, 0.1), the radii of the paper.
        steps: Number of steps of the attack, default 10; a step is a quarter
            of the radius.
        seed: Random seed of the attack's start, default 0.

    Raises:
        ValueError: for no radii.
    """
    from matplotlib.figure import Figure

    checks.require(len(etas), "`etas` must hold at least one radius.")
    images = checks.images(np.asarray(image)[np.newaxis])
    levels = range(1, flow.levels + 1)
    figure = Figure(
        figsize=(1.5 * flow.levels + 0.4, 2.9 * len(etas)), layout="constrained"
    )
    axes = figure.subplots(2 * len(etas), flow.levels, squeeze=False)
    for eta, upper, lower in zip(etas, axes[::2], axes[1::2]):
        ball = Linf(eta, step=eta / 4)
        found = np.concatenate(
            [
                OnManifoldPGD(flow, ball, steps, levels=[level])(
                    model, images, np.array([label]), seed=seed
                ).images
                for level in levels
            ]
        )
        # One factor for all levels, whose differences can then be compared.
        differences, factor = magnified(found - images)
        for axis, image in zip((*upper, *lower), (*found, *differences)):
            draw(axis, image)
        upper[0].set_ylabel(f"$\\eta$ = {eta:g}", fontsize=9)
        lower[0].set_ylabel(f"difference {factor}", fontsize=9)
    for axis, level in zip(axes[0], levels):
        axis.set_title(f"level {level}", fontsize=9)
    save(figure, path, 200)
