"""Pictures of what attacks do, and of how training went."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping

import numpy as np

from ijsat_tf import checks
from ijsat_tf.training.callbacks import read_curve
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


def robust_curves(
    curves: Mapping[str, str | os.PathLike], path: str | os.PathLike
) -> None:
    """Clean and robust accuracy during training, a line a run (Fig. 2 and 7).

    Args:
        curves: {name of the run: path of the CSV file that
            `RobustAccuracy(..., path=...)` wrote}.
        path: of the picture to write; its ending says the format.

    Raises:
        ValueError: for no curves, or a file that is missing, foreign or
            without a row yet.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    checks.require(
        curves,
        "`curves` must hold at least one run: {name: path of the CSV file of "
        "RobustAccuracy}.",
    )
    points = {name: read_curve(file) for name, file in curves.items()}
    for name, file in curves.items():
        checks.require(
            points[name],
            f"{file} holds no epoch yet; let the run go on, or leave "
            f"{name!r} out.",
        )
    figure = Figure(figsize=(8, 3), layout="constrained")
    axes = figure.subplots(1, 2)
    drawn = {}
    for axis, kind in zip(axes, ("clean", "robust")):
        for name, marker in zip(points, itertools.cycle("osD^vP*X<>")):
            line = points[name]
            (drawn[name],) = axis.plot(
                [point.epoch for point in line],
                [100 * getattr(point, f"{kind}_accuracy") for point in line],
                marker=marker,
                markersize=4.5,
                markevery=max(1, len(line) // 12),
                linewidth=1.5,
            )
        axis.set_title(f"{kind.capitalize()} accuracy (%)", fontsize=10)
        axis.set_xlabel("Epoch")
        axis.set_xlim(left=0)
        for ticks in (axis.xaxis, axis.yaxis):
            ticks.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.grid(color="0.9", linewidth=0.8)
        axis.set_axisbelow(True)
        axis.spines[["top", "right"]].set_visible(False)
    # The order of the legend is that of the lines' ends, to its left.
    order = sorted(points, key=lambda name: -points[name][-1].robust_accuracy)
    figure.legend(
        [drawn[name] for name in order],
        order,
        loc="outside right center",
        frameon=False,
    )
    figure.savefig(path, dpi=200)
