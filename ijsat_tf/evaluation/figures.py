"""Pictures of what attacks do."""

from __future__ import annotations

import os

import numpy as np

from ijsat_tf.types import Tensor


def adversarial_panel(
    images: Tensor,
    adversarial: Tensor,
    path: str | os.PathLike,
    name: str = "JSA",
) -> None:
    """Original, adversarial sample, magnified difference (Fig. 4 and 10).

    Grey in the third row is no difference; the largest of all differences is
    drawn as black or white.

    Args:
        images: (B, H, W, C) in [0, 1].
        adversarial: likewise.
        path: of the picture to write; its ending says the format.
        name: of the attack, default "JSA".
    """
    # Only those who draw need a plotting library in memory.
    from matplotlib.figure import Figure

    images, adversarial = np.asarray(images), np.asarray(adversarial)
    change = adversarial - images
    largest = max(float(np.abs(change).max()), 1e-12)
    rows = {
        "original": images,
        name: adversarial,
        f"difference x {0.5 / largest:.0f}": 0.5 + 0.5 * change / largest,
    }
    count = len(images)
    figure = Figure(figsize=(1.1 * count, 3.6), layout="constrained")
    axes = figure.subplots(3, count, squeeze=False)
    for line, (label, pictures) in zip(axes, rows.items()):
        line[0].set_ylabel(label, fontsize=9)
        for axis, picture in zip(line, pictures):
            axis.imshow(
                picture.squeeze(),
                cmap="gray",
                vmin=0,
                vmax=1,
                interpolation="nearest",
            )
            axis.set_xticks([])
            axis.set_yticks([])
    figure.savefig(path, dpi=150)
