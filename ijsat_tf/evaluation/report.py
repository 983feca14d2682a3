"""Tables computed from records."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ijsat_tf.evaluation.evaluator import Record


def table(records: Mapping[str, Mapping[str, Record]]) -> str:
    """Accuracies in percent as a Markdown table, one row a model.

    The last column is the mean of the row, as in the paper's tables.

    Args:
        records: {row: what `evaluate` returned}, or that for a single row.

    Returns:
        The table's text.
    """
    if isinstance(next(iter(records.values())), Record):
        records = {"model": records}
    columns = list(next(iter(records.values())))
    lines = [["Method", *columns, "Avg"]]
    for row, found in records.items():
        accuracies = [100 * found[column].correct.mean() for column in columns]
        accuracies.append(np.mean(accuracies))
        lines.append([row, *(f"{number:.2f}" for number in accuracies)])
    widths = [max(map(len, cells)) for cells in zip(*lines)]
    rule = ["-" * width for width in widths]
    return "\n".join(
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths))
        + " |"
        for line in [lines[0], rule, *lines[1:]]
    )
