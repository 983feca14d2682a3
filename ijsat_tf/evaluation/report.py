"""Tables computed from records."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ijsat_tf import checks
from ijsat_tf.evaluation.comparability import odd_ones
from ijsat_tf.evaluation.formats import grid
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
        ValueError: for no records, and for what must not be compared: other
            images, labels or seeds, a row of several models, a column of
            several attacks, records that are not complete.
    """
    checks.require(records, "`records` must hold at least one row.")
    if isinstance(next(iter(records.values())), Record):
        records = {"model": records}
    _require_comparable(records)
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
    return grid(lines)


def _require_comparable(records: Mapping[str, Mapping[str, Record]]) -> None:
    cells = [
        (row, column, record)
        for row, found in records.items()
        for column, record in found.items()
    ]
    checks.require(cells, "`records` must hold at least one column.")
    for row, column, record in cells:
        checks.require(
            record.complete,
            f"The record of {row!r} under {column!r} is not complete: "
            "evaluate again with the same settings.",
            f"{record.done} of {record.samples} samples",
        )
    for odd in odd_ones(cells):
        checks.require(
            False,
            f"`records` must have one `{odd.setting}` in {odd.group}: evaluate "
            "again what differs, or make two tables.",
            f"{odd.expected} in {odd.there}, "
            f"{odd.received} in {odd.row}/{odd.column}",
        )
