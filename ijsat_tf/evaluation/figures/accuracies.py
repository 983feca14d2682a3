"""The accuracy of each model under each attack."""

from __future__ import annotations

from collections.abc import Mapping

from ijsat_tf import checks
from ijsat_tf.evaluation.figures.lines import (
    framed,
    looks,
    named,
    plain,
)
from ijsat_tf.evaluation.figures.saving import Paths, save
from ijsat_tf.evaluation.paper import as_printed
from ijsat_tf.evaluation.paper.tables import records_table
from ijsat_tf.evaluation.records import Record


def accuracy_chart(
    records: Mapping[str, Mapping[str, Record]], path: Paths
) -> None:
    """Draws the accuracy of each model under each attack.

    Each attack is a line of points, one point per model, with its 95 %
    interval. A record that is not complete, or that cannot be compared with
    the others, has no point. All common corruptions are one line.

    Args:
        records: Records {name of the model: {name of the attack: `Record`}},
            each model's as `evaluate` or `read` returned them.
        path: Path of the picture to write, or several paths; their endings
            tell the formats.

    Raises:
        ValueError: for no complete record, or a model called "difference".
    """
    from matplotlib.figure import Figure

    checks.require(
        any(each.complete for row in records.values() for each in row.values()),
        "`records` must hold at least one complete record: evaluate again "
        "with the same settings.",
    )
    table = records_table(records)
    (rows,) = table.sections
    attacks = [name for name in table.columns if name != as_printed.AVERAGE]
    # At least as high as the points of all models above each other.
    step = min(1.0, 0.11 * (len(rows) + 2))
    legend = 0.2 * -(-len(rows) // 2)
    figure = Figure(
        figsize=(6, 0.8 + step * len(attacks) + legend), layout="constrained"
    )
    axis = figure.subplots()
    drawn = {}
    for place, (row, look) in enumerate(
        zip(rows, looks(row.name for row in rows).values()), start=1
    ):
        points = [
            (line + place / (len(rows) + 1) - 0.5, cell)
            for line, cell in enumerate(row.cells[: len(attacks)])
            if cell.value is not None and not cell.marks
        ]
        values = [cell.value for _, cell in points]
        limits = [cell.interval for _, cell in points]
        drawn[row.name] = axis.errorbar(
            values,
            [height for height, _ in points],
            xerr=[
                [value - low for value, (low, _) in zip(values, limits)],
                [high - value for value, (_, high) in zip(values, limits)],
            ],
            linestyle="none",
            elinewidth=1,
            **look,
        )
    framed(axis, "Accuracy (%), with 95 % intervals")
    axis.yaxis.grid(False)
    for line in range(1, len(attacks)):
        axis.axhline(line - 0.5, color="0.9", linewidth=0.8, zorder=0)
    axis.set_xlim(0, 100)
    axis.set_ylim(len(attacks) - 0.5, -0.5)
    axis.set_yticks(range(len(attacks)), attacks)
    plain(axis.get_yticklabels())
    named(figure, drawn, "outside lower center", 2)
    save(figure, path, 150)
