"""Curves of robust accuracy against the radius of an attack."""

from __future__ import annotations

from collections.abc import Mapping

from ijsat_tf import checks
from ijsat_tf.evaluation.figures.lines import framed, looks, named
from ijsat_tf.evaluation.figures.saving import Paths, save


def radius_curves(
    curves: Mapping[str, Mapping[float, float]], path: Paths
) -> None:
    """Draws robust accuracy against the radius of an attack.

    Each model is a line.

    Args:
        curves: Curves {name of the model: {radius: accuracy in [0, 1]}}, each
            as `radius_curve` returned it.
        path: Path of the picture to write, or several paths; their endings
            tell the formats.

    Raises:
        ValueError: for no curves, or a curve without a radius.
    """
    from matplotlib.figure import Figure

    checks.require(
        curves and all(curves.values()),
        "`curves` must hold at least one model, and each at least one radius: "
        "{name: what `radius_curve` returned}.",
        {name: len(curve) for name, curve in curves.items()},
    )
    figure = Figure(figsize=(5.5, 3), layout="constrained")
    axis = figure.subplots()
    drawn = {}
    for name, look in looks(curves).items():
        points = sorted(curves[name].items())
        (drawn[name],) = axis.plot(
            [radius for radius, _ in points],
            [100 * accuracy for _, accuracy in points],
            linewidth=1.5,
            **look,
        )
    framed(axis, "Robust accuracy (%)")
    axis.set_xlabel("Radius")
    axis.set_ylim(0, 100)
    named(figure, drawn, "outside right center", 1)
    save(figure, path, 200)
