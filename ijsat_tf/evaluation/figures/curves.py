"""Curves of accuracy during training."""

from __future__ import annotations

import os
from collections.abc import Mapping

from ijsat_tf import checks
from ijsat_tf.evaluation.figures.lines import framed, looks, named
from ijsat_tf.evaluation.figures.saving import Paths, save
from ijsat_tf.training.callbacks import read_curve


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
        for name, look in looks(points).items():
            line = points[name]
            (drawn[name],) = axis.plot(
                [point.epoch for point in line],
                [100 * getattr(point, f"{kind}_accuracy") for point in line],
                markevery=max(1, len(line) // 12),
                linewidth=1.5,
                **look,
            )
        framed(axis, f"{kind.capitalize()} accuracy (%)")
        low, high = axis.get_ylim()
        axis.set_ylim(max(low, 0), min(high, 100))
        axis.set_xlabel("Epoch")
        axis.set_xlim(left=0)
        for ticks in (axis.xaxis, axis.yaxis):
            ticks.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
        axis.xaxis.get_major_locator().set_params(integer=True)
    # The legend has the order of the lines' right ends, which lie beside it.
    order = sorted(points, key=lambda name: -points[name][-1].robust_accuracy)
    ends = {name: drawn[name] for name in order}
    named(figure, ends, "outside right center", 1)
    save(figure, path, 200)
