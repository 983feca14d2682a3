"""The steps of IJSAT, drawn for two images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ijsat_tf import checks
from ijsat_tf.attacks import JointSpaceAttack
from ijsat_tf.evaluation.figures.panels import draw
from ijsat_tf.evaluation.figures.saving import Paths, save
from ijsat_tf.mixup import mix
from ijsat_tf.samples import Batch
from ijsat_tf.types import Tensor


def pipeline(
    model: keras.Model,
    attack: JointSpaceAttack,
    images: Tensor,
    labels: Tensor,
    path: Paths,
    alpha: float = 0.6,
    seed: int = 0,
    class_names: Sequence[str] | None = None,
) -> None:
    """Draws the steps of IJSAT for two images (Fig. 3).

    The steps are x_i and x_j, their mixture IM(x), its latents z, the attacked
    image G(z + lambda) + delta, and the classifier's probabilities for the
    mixture and the attacked image. All latents have one colour scale.

    Args:
        model: Keras classifier that returns logits.
        attack: Attack with a `flow` of several levels.
        images: Images (2, H, W, C) in [0, 1].
        labels: Labels (2,), ints, or (2, K).
        path: Path of the picture to write, or several paths; their endings
            tell the formats.
        alpha: Weight of the first image, default 0.6.
        seed: Random seed of the attack's start, default 0.
        class_names: Names of the classes, one per class; None, the default,
            to show the numbers of the classes.

    Raises:
        ValueError: for a number of images other than two.
    """
    from matplotlib.figure import Figure

    images = checks.images(images)
    checks.require(
        len(images) == 2,
        "`images` must hold two images.",
        f"{len(images)} images",
    )
    classes = model.output_shape[-1]
    probabilities = checks.one_hot(checks.one_a_row(labels, images), classes)
    weights = tf.constant([alpha, alpha], images.dtype)
    mixed = mix(Batch(images, probabilities), weights, tf.constant([1, 0]))
    first = [part[:1] for part in mixed[:2]]
    latents = attack.flow.encode(first[0])
    result = attack(model, *first, seed=seed)
    before, after = (
        tf.nn.softmax(tf.cast(model(x, training=False), tf.float32))[0].numpy()
        for x in (first[0], result.images)
    )

    figure = Figure(figsize=(9, 2.6), layout="constrained")
    grid = figure.add_gridspec(2, 12)
    for place, image in enumerate(images.numpy()):
        axis = figure.add_subplot(grid[place, 0:2])
        draw(axis, image)
        axis.set_ylabel(("$x_i$", "$x_j$")[place])
    _titled(
        figure, grid[:, 2:4], f"$IM(x)$, $\\alpha$ = {alpha:g}", mixed[0][0]
    )
    inner = grid[:, 4:7].subgridspec(len(latents), 1)
    spread = max(np.abs(latent).max() for latent in latents) or 1
    for place, latent in enumerate(latents):
        axis = figure.add_subplot(inner[place])
        strip = np.concatenate(np.moveaxis(np.asarray(latent[0]), -1, 0), 1)
        axis.imshow(strip, "coolwarm", vmin=-spread, vmax=spread, aspect="auto")
        axis.set_xticks([])
        axis.set_yticks([])
        axis.set_ylabel(f"$z_{place + 1}$")
        if not place:
            axis.set_title("$z = G^{-1}(IM(x))$", fontsize=10)
    _titled(
        figure,
        grid[:, 7:9],
        "$G(z + \\lambda) + \\delta$",
        result.images[0],
    )
    names = class_names or range(classes)
    _bars(figure.add_subplot(grid[:, 9:12]), before, after, names)
    save(figure, path, 200)


def _titled(figure: Any, place: Any, title: str, image: tf.Tensor) -> None:
    axis = figure.add_subplot(place)
    draw(axis, np.asarray(image))
    axis.set_title(title, fontsize=10)


def _bars(
    axis: Any, before: np.ndarray, after: np.ndarray, names: Sequence
) -> None:
    # Ten classes at most, as the names of a hundred could not be read.
    shown = np.sort(np.argsort(before + after)[-10:])
    places = np.arange(len(shown))
    axis.barh(places - 0.2, before[shown], 0.4, label="$IM(x)$")
    axis.barh(places + 0.2, after[shown], 0.4, label="attacked")
    axis.set_yticks(
        places, [str(names[number]) for number in shown], fontsize=9
    )
    axis.invert_yaxis()
    axis.set_xlim(0, 1)
    axis.set_xlabel("probability by $f_\\theta$", fontsize=9)
    axis.tick_params(axis="x", labelsize=9)
    # The legend is above the bars, as a bar may end anywhere inside.
    axis.legend(
        frameon=False,
        fontsize=9,
        ncols=2,
        loc="lower center",
        bbox_to_anchor=(0.5, 1),
    )
    axis.spines[["top", "right"]].set_visible(False)
