"""Tables computed from records."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ijsat_tf import checks
from ijsat_tf.evaluation.records import Record


def table(records: Mapping[str, Mapping[str, Record]]) -> str:
    """Accuracies in percent as a Markdown table, one row a model.

    The last column is the mean of the row, as in the paper's tables; a row
    without a record for a column says "not run" there, and has no mean.

    Args:
        records: {row: what `evaluate` or `read` returned}, or that for a
            single row.

    Returns:
        The table's text.

    Raises:
        ValueError: for records of different images, labels or latents, or
            no records.
    """
    checks.require(records, "`records` must hold at least one row.")
    if isinstance(next(iter(records.values())), Record):
        records = {"model": records}
    _require_same_data(records)
    # A dict keeps the order of first appearance.
    columns = list(dict.fromkeys(sum(map(list, records.values()), [])))
    lines = [["Method", *columns, "Avg"]]
    for row, found in records.items():
        accuracies = {
            column: 100 * record.correct.mean()
            for column, record in found.items()
        }
        lacks = set(columns) - set(found)
        mean = "-" if lacks else f"{np.mean(list(accuracies.values())):.2f}"
        cells = [
            f"{accuracies[column]:.2f}" if column in found else "not run"
            for column in columns
        ]
        lines.append([row, *cells, mean])
    widths = [max(map(len, cells)) for cells in zip(*lines)]
    rule = ["-" * width for width in widths]
    return "\n".join(
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths))
        + " |"
        for line in [lines[0], rule, *lines[1:]]
    )


def _require_same_data(records: Mapping[str, Mapping[str, Record]]) -> None:
    data = {
        row: sorted({record.data for record in found.values()})
        for row, found in records.items()
    }
    checks.require(
        len({each for row in data.values() for each in row}) == 1,
        "`records` must all be of the same images, labels and latents; "
        "evaluate the rows on the same data, or put them into tables of "
        "their own.",
        ", ".join(f"{row}: {' and '.join(each)}" for row, each in data.items()),
    )
