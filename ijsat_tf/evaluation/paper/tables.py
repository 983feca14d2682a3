"""The paper's tables computed from records, beside the paper's numbers."""

from __future__ import annotations

import re
from typing import NamedTuple

from ijsat_tf import checks
from ijsat_tf.evaluation.corruption import CELLS, is_corrupted
from ijsat_tf.evaluation.paper import as_printed
from ijsat_tf.evaluation.paper.entries import Entries, Entry, Runs
from ijsat_tf.evaluation.statistics import (
    difference_interval,
    interval,
    mcnemar,
)

_BY_CHANCE = "Chance alone may be why: exact McNemar test, p >= 0.05."


class Cell(NamedTuple):
    """A cell of a table: our number, and the paper's number.

    Attributes:
        text: Text of our number: "83.92", "↑3.30", "not run" or "-".
        value: Our number in percent, or in percentage points for a difference;
            None where there is no number.
        interval: Confidence interval (95 %) of `value`, in the same unit;
            None where there is no number.
        paper: Number of the paper, as printed.
        best: Whether no row of the section has a larger number.
        p_value: McNemar's exact p-value of a difference; None for averages
            and for cells that are not a difference.
        marks: Numbers of the footnotes on our number.
        paper_marks: Numbers of the footnotes on the paper's number.
    """

    text: str
    value: float | None = None
    interval: tuple[float, float] | None = None
    paper: str = ""
    best: bool = False
    p_value: float | None = None
    marks: tuple[int, ...] = ()
    paper_marks: tuple[int, ...] = ()


class Row(NamedTuple):
    """A row of a table: a method, or the difference of two methods.

    Attributes:
        name: Name of the run, or "difference".
        label: Label in the paper, without its references and "(ours)".
        cells: Cells, one per column.
        marks: Numbers of the footnotes on the label.
    """

    name: str
    label: str
    cells: tuple[Cell, ...]
    marks: tuple[int, ...] = ()


class Table(NamedTuple):
    """A table, for `ijsat_tf.evaluation.formats` to print.

    Attributes:
        title: Number and caption of the table.
        columns: Headings of the columns, without the first one, "Method".
        sections: Sections, each the rows between two rules.
        settings: Images, seed and attacks of our numbers, one line each.
        footnotes: Footnotes {number: text}.
    """

    title: str
    columns: tuple[str, ...]
    sections: tuple[tuple[Row, ...], ...]
    settings: tuple[str, ...]
    footnotes: dict[int, str]


def paper_tables(number: int, runs: Runs) -> tuple[Table, ...]:
    """Computes a table of the paper from records.

    A record that cannot be compared with the others of its row, column or
    table is shown with a footnote that gives the reason. Such a record is in no
    average and no difference, and is never marked as the best.

    Args:
        number: Number of the table, 1 to 7; the halves of Table 2 are two
            tables.
        runs: Records {row: {column: `Record`}}. The rows are named as in
            `row_names`, and the columns as in `ijsat_tf.attacks.by_name` or,
            for a corruption, such as "fog_3". A missing record is shown as
            "not run".

    Returns:
        One table, or two.

    Raises:
        ValueError: for another number, or a row that the table does not have.
    """
    names = row_names(number)
    for name in runs:
        checks.require(
            name in names,
            f"`runs` must have only rows of Table {number}, "
            f"{', '.join(names)}; rename the run, or leave it out.",
            repr(name),
        )
    tables: list[Table] = []
    for printed in as_printed.TABLES[number]:
        # Both halves are on one page, so their footnotes share one count.
        notes = _Footnotes(1 + sum(len(table.footnotes) for table in tables))
        table = _computed(printed, runs, notes)
        if table.settings:
            data = f"The paper's numbers are of {as_printed.DATA[number]}."
            table = table._replace(settings=(*table.settings, data))
        tables.append(table)
    return tuple(tables)


def records_table(runs: Runs) -> Table:
    """Computes one table of all records, without numbers of the paper.

    Each name of a record is a column. Records that cannot be compared have
    footnotes, as in `paper_tables`. The records of common corruptions are one
    column, the mean over all corruptions. The last column is the mean of the
    row.

    Args:
        runs: Records {name of a run: {name of a record: `Record`}}, with any
            names.

    Returns:
        A table of one section, with a row per run.

    Raises:
        ValueError: for no records, or a run called "difference".
    """
    checks.require(
        as_printed.DIFFERENCE not in runs,
        f"A run must not be called {as_printed.DIFFERENCE!r}, the name of rows "
        "that compare two runs; rename the folder of the run.",
    )
    corrupted, names = False, {}
    for found in runs.values():
        for name, record in found.items():
            if is_corrupted(name, record):
                corrupted = True
            else:
                names[name] = None
    columns = [as_printed.Column(name, (name,)) for name in names]
    if corrupted:
        columns.append(as_printed.Column("corrupted", tuple(CELLS)))
    checks.require(columns, "`runs` must hold at least one record.")
    if len(columns) > 1:
        columns.append(as_printed.Column(as_printed.AVERAGE, ()))
    rows = tuple(
        as_printed.PrintedRow(name, name, ("",) * len(columns), {})
        for name in runs
    )
    printed = as_printed.Printed("All records.", tuple(columns), (rows,))
    return _computed(printed, runs, _Footnotes(1))


def row_names(number: int) -> list[str]:
    """Returns the names of a table's runs, in the table's order.

    Args:
        number: Number of the table, 1 to 7.

    Raises:
        ValueError: for another number.
    """
    checks.require(
        number in as_printed.TABLES,
        "`number` must be the number of a table of the paper, 1 to 7.",
        repr(number),
    )
    rows = [row for part in as_printed.TABLES[number] for row in part.rows]
    return [row.name for row in rows if row.name != as_printed.DIFFERENCE]


class _Footnotes:
    """Footnotes, numbered in the order of their first appearance."""

    def __init__(self, first: int):
        self.first = first
        self.numbers: dict[str, int] = {}

    def marks(self, *texts: str) -> tuple[int, ...]:
        return tuple(
            self.numbers.setdefault(text, self.first + len(self.numbers))
            for text in texts
        )


def _computed(
    printed: as_printed.Printed, runs: Runs, notes: _Footnotes
) -> Table:
    entries = Entries(printed, runs)
    sections = tuple(
        _section(printed.columns, section, entries, notes)
        for section in printed.sections
    )
    return Table(
        printed.title,
        tuple(column.heading for column in printed.columns),
        sections,
        entries.settings(),
        {number: text for text, number in notes.numbers.items()},
    )


def _section(
    columns: tuple[as_printed.Column, ...],
    printed: tuple[as_printed.PrintedRow, ...],
    entries: Entries,
    notes: _Footnotes,
) -> tuple[Row, ...]:
    found = [
        entries.of_row(row.name)
        for row in printed
        if row.name != as_printed.DIFFERENCE
    ]
    best = [_best(column) for column in zip(*found)]
    rows = []
    for place, row in enumerate(printed):
        label = re.sub(r" (\[\d+\]|\(ours\))", "", row.label)
        marks = notes.marks(*_footnote(row, as_printed.METHOD))
        cells = []
        for at, column in enumerate(columns):
            if row.name == as_printed.DIFFERENCE:
                first, second = (line[at] for line in found)
                of_one = len(column.records) == 1
                cell = _difference(first, second, of_one, notes)
            else:
                cell = _cell(found[place][at], best[at], notes)
            cells.append(
                cell._replace(
                    paper=row.cells[at],
                    paper_marks=notes.marks(*_footnote(row, column.heading)),
                )
            )
        rows.append(Row(row.name, label, tuple(cells), marks))
    return tuple(rows)


def _footnote(row: as_printed.PrintedRow, heading: str) -> list[str]:
    text = row.footnotes.get(heading)
    return [f"The paper: {text}"] if text else []


def _best(entries: tuple[Entry, ...]) -> float | None:
    """Returns the largest of several means; None for fewer than two."""
    means = [entry.scores.mean() for entry in entries if entry.comparable]
    return max(means) if len(means) > 1 else None


def _cell(entry: Entry, best: float | None, notes: _Footnotes) -> Cell:
    marks = notes.marks(
        *(
            f"{reason}: in no average, and compared with nothing."
            for reason in entry.reasons
        )
    )
    if entry.scores is None:
        return Cell(entry.word, marks=marks)
    mean = entry.scores.mean()
    return Cell(
        f"{100 * mean:.2f}",
        float(100 * mean),
        _percent(interval(entry.scores)),
        best=bool(entry.comparable and mean == best),
        marks=marks,
    )


def _difference(
    first: Entry, second: Entry, of_one: bool, notes: _Footnotes
) -> Cell:
    """Returns the cell of second - first.

    Only differences of a column of one attack have McNemar's test.
    """
    if not (first.comparable and second.comparable):
        return Cell("-")
    scores = first.scores, second.scores
    value = float(100 * (scores[1].mean() - scores[0].mean()))
    p_value = mcnemar(*scores) if of_one else None
    by_chance = of_one and p_value >= 0.05
    return Cell(
        _arrow(value),
        value,
        _percent(difference_interval(*scores)),
        p_value=p_value,
        marks=notes.marks(*([_BY_CHANCE] if by_chance else [])),
    )


def _arrow(value: float) -> str:
    size = f"{abs(value):.2f}"
    if float(size) == 0:
        return size
    return ("↑" if value > 0 else "↓") + size


def _percent(limits: tuple[float, float]) -> tuple[float, float]:
    return 100 * limits[0], 100 * limits[1]
