"""Curves of accuracy during training."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping

from ijsat_tf import checks
from ijsat_tf.evaluation.figures.saving import Paths, save
from ijsat_tf.training.callbacks import read_curve

# Okabe and Ito's colours, which colour-blind readers can tell apart too.
_COLOURS = "#0072b2 #d55e00 #009e73 #cc79a7 #e69f00 #56b4e9 #000000".split()
_MARKERS = "osD^vP*X<>"


def robust_curves(curves: Mapping[str, str | os.PathLike], path: Paths) -> None:
    """Draws clean and robust accuracy during training (Fig. 2 and 7).

    Each run is a line.

    Args:
        curves: Curves {name of the run: path of the CSV file that
            `RobustAccuracy(..., path=...)` wrote}.
        path: Path of the picture to write, or several paths; their endings
            tell the formats.

    Raises:
        ValueError: for no curves, or a file that is missing, is no such CSV
            file, or has no row yet.
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
        looks = zip(itertools.cycle(_COLOURS), itertools.cycle(_MARKERS))
        for (name, line), (colour, marker) in zip(points.items(), looks):
            (drawn[name],) = axis.plot(
                [point.epoch for point in line],
                [100 * getattr(point, f"{kind}_accuracy") for point in line],
                color=colour,
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
    # The legend has the order of the lines' right ends, which lie beside it.
    order = sorted(points, key=lambda name: -points[name][-1].robust_accuracy)
    figure.legend(
        [drawn[name] for name in order],
        order,
        loc="outside right center",
        frameon=False,
    )
    save(figure, path, 200)
