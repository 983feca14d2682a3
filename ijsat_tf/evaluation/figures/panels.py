"""Images in rows and grids."""

from __future__ import annotations

import textwrap
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
    """Draws images, their adversarial samples and differences (Fig. 4, 10).

    The third row shows the magnified differences: grey is no difference, and
    the largest hundredth of the differences is black or white.

    Args:
        images: Original images (B, H, W, C) in [0, 1].
        adversarial: Adversarial samples (B, H, W, C) in [0, 1].
        path: Path of the picture to write, or several paths; their endings
            tell the formats.
        name: Name of the attack, default "JSA".
        titles: Titles, one above each image, e.g. its class; None, the
            default, for no titles.

    Raises:
        ValueError: for sets of different lengths, or an ending that is not the
            ending of a format.
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
    """Draws rows of images below each other (Fig. 1 and 6).

    A row has one kind of images, and a column is one image.

    Args:
        rows: Rows {name of the row: images (B, H, W, C) in [0, 1]}, of equal
            B.
        path: Path of the picture to write, or several paths; their endings
            tell the formats.
        titles: Titles, one above each column, e.g. the class; None, the
            default, for no titles.

    Raises:
        ValueError: for rows of different lengths, or no rows.
    """
    # Imported here, so that only drawing loads the plotting library.
    from matplotlib.figure import Figure

    counts = {name: len(images) for name, images in rows.items()}
    checks.require(
        len(set(counts.values())) == 1,
        "`rows` must hold at least one row, all of equally many images.",
        counts,
    )
    count = max(counts.values())
    figure = Figure(
        figsize=(0.8 * count + 0.45, 0.85 * len(rows) + 0.2),
        layout="constrained",
    )
    axes = figure.subplots(len(rows), count, squeeze=False)
    for line, (label, images) in zip(axes, rows.items()):
        short = textwrap.fill(label, 10, break_long_words=False)
        line[0].set_ylabel(short, fontsize=9)
        for axis, image in zip(line, np.asarray(images)):
            draw(axis, image)
    for axis, title in zip(axes[0], titles or ()):
        axis.set_title(title, fontsize=9)
    save(figure, path, 200)


def sample_grid(images: Tensor, path: Paths, columns: int = 10) -> None:
    """Draws images side by side, e.g. the samples of a generator.

    Args:
        images: Images (B, H, W, C) in [0, 1]; values outside are clipped.
        path: Path of the picture to write, or several paths; their endings
            tell the formats.
        columns: Number of images per line, default 10; the last line may be
            shorter.

    Raises:
        ValueError: for an ending that is not the ending of a format.
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
    """Draws one image, without ticks.

    Args:
        axis: Axes of matplotlib.
        image: Image (H, W, C) in [0, 1].
    """
    axis.imshow(
        image.squeeze(), cmap="gray", vmin=0, vmax=1, interpolation="nearest"
    )
    axis.set_xticks([])
    axis.set_yticks([])


def magnified(change: np.ndarray) -> tuple[np.ndarray, str]:
    """Magnifies a change of images for drawing.

    Args:
        change: Change (..., H, W, C) in [-1, 1].

    Returns:
        The magnified change as images in [0, 1], grey where the change is 0,
        and the factor as a text such as "x 12".
    """
    sizes = np.abs(change[change != 0])
    # With the maximum in place of this quantile, a few pixels of high contrast
    # would leave the others grey.
    largest = float(np.quantile(sizes, 0.99)) if sizes.size else 0.5
    factor = 0.5 / largest
    shown = np.clip(0.5 + factor * change, 0, 1)
    return shown, f"x {factor:.{0 if factor >= 10 else 1}f}"
