"""Tables computed from records."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping

import numpy as np

from ijsat_tf import checks
from ijsat_tf.data import CORRUPTIONS
from ijsat_tf.evaluation.comparability import odd_ones
from ijsat_tf.evaluation.corruption import (
    CELLS,
    corrupted,
    describe,
    is_corrupted,
    mean_corruption_accuracy,
)
from ijsat_tf.evaluation.formats import grid
from ijsat_tf.evaluation.records import Record


def table(
    records: Mapping[str, Mapping[str, Record]],
    union: Collection[str] = (),
) -> str:
    """Returns accuracies in percent as a Markdown table, one row per model.

    The last column is the mean of the row, as in the paper's tables. A row
    without a record for a column has "not run" in that column, and no mean.
    For corrupted images use `corruption_table`.

    Args:
        records: Records {row: {column: `Record`}}, each row as `evaluate` or
            `read` returned it; or the records {column: `Record`} of a single
            row.
        union: Names of columns whose worst is the column "Union": the share of
            images that are right under each of these attacks. (), the default,
            adds no such column. A row that lacks one of the columns has "-" in
            "Union". The mean leaves the union out.

    Returns:
        The table's text.

    Raises:
        ValueError: for no records, for records that are not complete, and for
            records that must not be compared: different images, labels or
            seeds, several models in a row, or several attacks in a column.
    """
    checks.require(records, "`records` must hold at least one row.")
    if isinstance(next(iter(records.values())), Record):
        records = {"model": records}
    _require_comparable(records)
    # A dict, unlike a set, keeps the order of first appearance.
    columns = list(dict.fromkeys(sum(map(list, records.values()), [])))
    lines = [["Method", *columns, *(["Union"] if union else []), "Avg"]]
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
        if union:
            cells.append(_union(found, union))
        lines.append([row, *cells, mean])
    return grid(lines)


def _union(found: Mapping[str, Record], union: Collection[str]) -> str:
    if not set(union) <= set(found):
        return "-"
    right = np.all([found[column].correct for column in union], axis=0)
    return f"{100 * right.mean():.2f}"


def corruption_table(records: Mapping[str, Mapping[str, Record]]) -> str:
    """Returns accuracies on corrupted images in percent, one column per model.

    Each row is a corruption, with means over its severities. The last row is
    the mean over all 75 sets, or "-" for a model that lacks a set. In the
    other rows, a model without any of a row's sets has "not run", and a model
    with only some of the sets has "-".

    Args:
        records: Records {model: {column: `Record`}}, each model's as
            `evaluate` or `read` returned them. Records of images that are not
            corrupted are left out.

    Returns:
        A line that tells where the images come from, and a Markdown table.

    Raises:
        ValueError: for no records of corrupted images, for images that are
            partly made here and partly published, and for records that `table`
            refuses.
    """
    models = {
        model: {
            column: record
            for column, record in found.items()
            if is_corrupted(column, record)
        }
        for model, found in records.items()
    }
    _require_comparable(models, corrupted=CELLS)
    lines = [["Corruption", *models]]
    for name in CORRUPTIONS:
        columns = {
            column: str(severity)
            for column, (its_name, severity) in CELLS.items()
            if its_name == name
            and any(column in found for found in models.values())
        }
        if columns:
            # A mean over only some severities is named after them, as it is
            # not the mean of the corruption.
            some = f" {','.join(columns.values())}" if len(columns) < 5 else ""
            means = [_mean(found, columns) for found in models.values()]
            lines.append([name + some, *means])
    means = [
        f"{100 * mean_corruption_accuracy(corrupted(found)):.2f}"
        if len(found) == len(CELLS)
        else "-"
        for found in models.values()
    ]
    lines.append([f"Mean of all {len(CELLS)}", *means])
    (kind,) = {
        record.kind for found in models.values() for record in found.values()
    }
    return f"Corrupted images: {describe(kind)}.\n\n{grid(lines)}"


def _mean(found: Mapping[str, Record], columns: Collection[str]) -> str:
    here = [found[each].correct.mean() for each in columns if each in found]
    if len(here) < len(columns):
        return "-" if here else "not run"
    return f"{100 * np.mean(here):.2f}"


def _require_comparable(
    records: Mapping[str, Mapping[str, Record]],
    corrupted: Container[str] = (),
) -> None:
    cells = [
        (row, column, record)
        for row, found in records.items()
        for column, record in found.items()
    ]
    checks.require(cells, "`records` must hold at least one column.")
    for row, column, record in cells:
        checks.require(
            record.complete,
            f"The record of {row!r} under {column!r} must be complete; "
            "evaluate again with the same settings.",
            f"{record.done} of {record.samples} samples",
        )
    for odd in odd_ones(cells, corrupted):
        checks.require(
            False,
            f"`records` must have one `{odd.setting}` in {odd.group}; evaluate "
            "the differing record again, or make two tables.",
            f"{odd.expected} in {odd.there}, "
            f"{odd.received} in {odd.row}/{odd.column}",
        )
