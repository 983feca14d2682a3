"""Images in rows and grids."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from ijsat_tf import checks
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
    images, adversarial = np.asarray(images), np.asarray(adversarial)
    change = adversarial - images
    largest = max(float(np.abs(change).max()), 1e-12)
    image_rows(
        {
            "original": images,
            name: adversarial,
            f"difference x {0.5 / largest:.0f}": 0.5 + 0.5 * change / largest,
        },
        path,
    )


def image_rows(rows: Mapping[str, Tensor], path: str | os.PathLike) -> None:
    """Kinds of images below each other, a column an image (Fig. 1 and 6).

    Args:
        rows: {name of the row: images (B, H, W, C) in [0, 1]}, of equal B.
        path: of the picture to write; its ending says the format.

    Raises:
        ValueError: for rows of different lengths, or none.
    """
    # Only those who draw need a plotting library in memory.
    from matplotlib.figure import Figure

    counts = {name: len(images) for name, images in rows.items()}
    checks.require(
        len(set(counts.values())) == 1,
        "`rows` must hold at least one row, all of equally many images.",
        counts,
    )
    count = max(counts.values())
    figure = Figure(
        figsize=(1.1 * count, 1.2 * len(rows)), layout="constrained"
    )
    axes = figure.subplots(len(rows), count, squeeze=False)
    for line, (label, images) in zip(axes, rows.items()):
        line[0].set_ylabel(label, fontsize=9)
        for axis, image in zip(line, np.asarray(images)):
            draw(axis, image)
    figure.savefig(path, dpi=150)


def sample_grid(
    images: Tensor, path: str | os.PathLike, columns: int = 10
) -> None:
    """Images side by side, without gaps, e.g. the samples of a generator.

    Args:
        images: (B, H, W, C) in [0, 1], or a little outside.
        path: of the picture to write; its ending says the format.
        columns: default 10; the last line may be shorter.
    """
    from matplotlib.figure import Figure

    images = np.asarray(images)
    count, height, width, channels = images.shape
    lines = -(-count // columns)
    grid = np.ones((lines * columns, height, width, channels), np.float32)
    grid[:count] = np.clip(images, 0, 1)
    grid = grid.reshape(lines, columns, height, width, channels)
    grid = grid.transpose(0, 2, 1, 3, 4)
    figure = Figure(figsize=(0.6 * columns, 0.6 * lines * height / width))
    axis = figure.add_axes((0, 0, 1, 1))
    draw(axis, grid.reshape(lines * height, columns * width, channels))
    figure.savefig(path, dpi=160)


def draw(axis: Any, image: np.ndarray) -> None:
    """One image, without ticks.

    Args:
        axis: of matplotlib.
        image: (H, W, C) in [0, 1].
    """
    axis.imshow(
        image.squeeze(), cmap="gray", vmin=0, vmax=1, interpolation="nearest"
    )
    axis.set_xticks([])
    axis.set_yticks([])
