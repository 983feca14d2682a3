"""Grad-CAM heat maps of classifiers under attacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
import numpy as np

from ijsat_tf import checks
from ijsat_tf.attacks import Attack
from ijsat_tf.evaluation.figures.gradcam import grad_cam
from ijsat_tf.evaluation.figures.panels import draw
from ijsat_tf.evaluation.figures.saving import Paths, save
from ijsat_tf.types import Tensor

# The lightness of this colour map rises evenly, so that colour-blind readers
# can read it too.
_COLOURS = "inferno"


def heat_maps(
    models: Mapping[str, keras.Model],
    attacks: Mapping[str, Attack],
    image: Tensor,
    label: int,
    path: Paths,
    seed: int = 0,
    class_names: Sequence[str] | None = None,
) -> None:
    """Draws Grad-CAM of one image under several attacks (Fig. 5 and 9).

    Each model is a row, and each attack a column; the first column is the
    image itself. Each model is attacked on its own. Its heat map explains the
    class that the model then predicts, which stands below. In each map the
    same colours go from the map's least value to its largest value.

    Args:
        models: Classifiers {name of the row: functional or sequential Keras
            model}.
        attacks: Attacks {name of the column: attack}.
        image: Image (H, W, C) in [0, 1].
        label: Class of the image.
        path: Path of the picture to write, or several paths; their endings
            tell the formats.
        seed: Random seed of the attacks' starts, default 0.
        class_names: Names of the classes, one per class; None, the default,
            to show the numbers of the classes.

    Raises:
        ValueError: for no models, or an attack called "original".
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure

    checks.require(models, "`models` must hold at least one classifier.")
    clean = checks.images(np.asarray(image)[np.newaxis])
    labels = np.array([label])
    columns = {"original": None, **attacks}
    checks.require(
        columns["original"] is None,
        "No name in `attacks` may be the name of the first column.",
        "'original'",
    )
    figure = Figure(
        figsize=(1.3 * len(columns) + 0.7, 1.5 * len(models) + 0.2),
        layout="constrained",
    )
    axes = figure.subplots(len(models), len(columns), squeeze=False)
    for line, (name, model) in zip(axes, models.items()):
        line[0].set_ylabel(name, fontsize=9)
        for axis, attack in zip(line, columns.values()):
            images = clean
            if attack is not None:
                images = attack(model, clean, labels, seed=seed).images
            predicted = int(np.argmax(model(images, training=False)))
            draw(axis, np.asarray(images)[0])
            heat = np.asarray(grad_cam(model, images))[0]
            axis.imshow(heat, _COLOURS, alpha=0.3 + 0.35 * heat, vmin=0, vmax=1)
            found = class_names[predicted] if class_names else predicted
            mark = "" if predicted == label else " (wrong)"
            mark += "" if heat.any() else "\nno heat"
            axis.set_xlabel(f"{found}{mark}", fontsize=9)
    for axis, column in zip(axes[0], columns):
        axis.set_title(column, fontsize=9)
    scale = figure.colorbar(
        ScalarMappable(cmap=_COLOURS), ax=axes, ticks=[0, 1], aspect=12
    )
    scale.ax.set_yticklabels(["least", "most"], fontsize=9)
    save(figure, path, 200)
