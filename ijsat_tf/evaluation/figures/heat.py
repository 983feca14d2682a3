"""Where classifiers look, attack by attack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
import numpy as np

from ijsat_tf import checks
from ijsat_tf.attacks import Attack
from ijsat_tf.evaluation.figures.panels import draw
from ijsat_tf.evaluation.figures.saving import Paths, save
from ijsat_tf.evaluation.gradcam import grad_cam
from ijsat_tf.types import Tensor


def heat_maps(
    models: Mapping[str, keras.Model],
    attacks: Mapping[str, Attack],
    image: Tensor,
    label: int,
    path: Paths,
    seed: int = 0,
    class_names: Sequence[str] | None = None,
) -> None:
    """Grad-CAM of one image, a row a model, a column an attack (Fig. 5, 9).

    The first column is the image itself. Each model is attacked on its own,
    and explains the class that it then predicts, which stands below.

    Args:
        models: {name of the row: a functional or sequential classifier}.
        attacks: {name of the column: attack}.
        image: (H, W, C) in [0, 1].
        label: its class.
        path: of the picture to write, or of several; endings say the formats.
        seed: of the attacks' starts, default 0.
        class_names: one a class; None, the default, for their numbers.

    Raises:
        ValueError: for no models.
    """
    from matplotlib.figure import Figure

    checks.require(models, "`models` must hold at least one classifier.")
    clean = checks.images(np.asarray(image)[np.newaxis])
    labels = np.array([label])
    columns = ["original", *attacks]
    figure = Figure(
        figsize=(1.4 * len(columns), 1.5 * len(models)), layout="constrained"
    )
    axes = figure.subplots(len(models), len(columns), squeeze=False)
    for line, (name, model) in zip(axes, models.items()):
        line[0].set_ylabel(name, fontsize=9)
        for axis, column in zip(line, columns):
            images = clean
            if column in attacks:
                attack = attacks[column]
                images = attack(model, clean, labels, seed=seed).images
            predicted = int(np.argmax(model(images, training=False)))
            draw(axis, np.asarray(images)[0])
            heat = np.asarray(grad_cam(model, images))[0]
            # Of even lightness, so that also the colour-blind read it.
            axis.imshow(
                heat, "inferno", alpha=0.3 + 0.35 * heat, vmin=0, vmax=1
            )
            found = class_names[predicted] if class_names else predicted
            mark = "" if predicted == label else " (wrong)"
            mark += "" if heat.any() else "\nno heat"
            axis.set_xlabel(f"{found}{mark}", fontsize=8)
    for axis, column in zip(axes[0], columns):
        axis.set_title(column, fontsize=9)
    save(figure, path, 150)
