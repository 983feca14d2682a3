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
    G(z_1, .., z_i + lambda_i, ..) and its magnified difference from the image.

    Args:
        model: Function or Keras model from images to logits.
        flow: Flow G.
        image: Image (H, W, C) in [0, 1].
        label: Class of the image.
        path: Path of the picture to write, or several paths; their endings
            tell the formats.
        etas: Radii of lambda_i, default those of the paper.
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
        figsize=(1.5 * flow.levels, 2.6 * len(etas)), layout="constrained"
    )
    axes = figure.subplots(2 * len(etas), flow.levels, squeeze=False)
    for row, eta in enumerate(etas):
        ball = Linf(eta, step=eta / 4)
        for column, level in enumerate(levels):
            attack = OnManifoldPGD(flow, ball, steps, levels=[level])
            found = attack(model, images, np.array([label]), seed=seed).images
            difference, factor = magnified(np.asarray(found - images)[0])
            upper, lower = axes[2 * row : 2 * row + 2, column]
            draw(upper, np.asarray(found)[0])
            draw(lower, difference)
            lower.set_xlabel(factor, fontsize=8)
            if not row:
                upper.set_title(f"level {level}", fontsize=9)
        axes[2 * row, 0].set_ylabel(f"$\\eta$ = {eta:g}", fontsize=9)
        axes[2 * row + 1, 0].set_ylabel("difference", fontsize=8)
    save(figure, path, 150)
