"""Images in rows and grids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ijsat_tf import checks
from ijsat_tf.evaluation.figures.saving import Paths, save
from ijsat_tf.types import Tensor


def adversarial_panel(
    images: Tensor,
    adversarial: Tensor,
    path: Paths,
    name: str = "JSA",
    titles: Sequence[str] | None = None,
) -> None:
    """Original, adversarial sample, magnified difference (Fig. 4 and 10).

    Grey in the third row is no difference; the largest ones, one of a hundred,
    are drawn as black or white.

    Args:
        images: (B, H, W, C) in [0, 1].
        adversarial: likewise.
        path: of the picture to write, or of several; endings say the formats.
        name: of the attack, default "JSA".
        titles: one above each image, e.g. its class; None, the default, for
            none.
    """
    images, adversarial = np.asarray(images), np.asarray(adversarial)
    difference, factor = magnified(adversarial - images)
    image_rows(
        {
            "original": images,
            name: adversarial,
            f"difference {factor}": difference,
        },
        path,
        titles,
    )


def image_rows(
    rows: Mapping[str, Tensor],
    path: Paths,
    titles: Sequence[str] | None = None,
) -> None:
    """Kinds of images below each other, a column an image (Fig. 1 and 6).

    Args:
        rows: {name of the row: images (B, H, W, C) in [0, 1]}, of equal B.
        path: of the picture to write, or of several; endings say the formats.
        titles: one above each column, e.g. the class; None, the default, for
            none.

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
    for axis, title in zip(axes[0], titles or ()):
        axis.set_title(title, fontsize=9)
    save(figure, path, 150)


def sample_grid(images: Tensor, path: Paths, columns: int = 10) -> None:
    """Images side by side, e.g. the samples of a generator.

    Args:
        images: (B, H, W, C) in [0, 1], or a little outside.
        path: of the picture to write, or of several; endings say the formats.
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
    axis.set_axis_off()
    draw(axis, grid.reshape(lines * height, columns * width, channels))
    for column in range(1, columns):
        axis.axvline(column * width - 0.5, color="white", linewidth=1)
    for line in range(1, lines):
        axis.axhline(line * height - 0.5, color="white", linewidth=1)
    save(figure, path, 160)


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


def magnified(change: np.ndarray) -> tuple[np.ndarray, str]:
    """A change of images as images, grey where it is 0, and how many times
    as large, in words.

    Args:
        change: (..., H, W, C) in [-1, 1].
    """
    sizes = np.abs(change[change != 0])
    # A few pixels of high contrast would leave the others grey.
    largest = float(np.quantile(sizes, 0.99)) if sizes.size else 0.5
    factor = 0.5 / largest
    shown = np.clip(0.5 + factor * change, 0, 1)
    return shown, f"x {factor:.{0 if factor >= 10 else 1}f}"
