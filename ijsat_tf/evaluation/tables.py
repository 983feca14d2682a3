"""The paper's tables computed from records, beside the paper's numbers."""

from __future__ import annotations

import re
from typing import NamedTuple

from ijsat_tf import checks
from ijsat_tf.evaluation import paper
from ijsat_tf.evaluation.corruption import CELLS, is_corrupted
from ijsat_tf.evaluation.entries import Entries, Entry, Runs
from ijsat_tf.evaluation.statistics import (
    difference_interval,
    interval,
    mcnemar,
)

_BY_CHANCE = "Chance alone may be why: exact McNemar test, p >= 0.05."


class Cell(NamedTuple):
    """A number of ours, and the paper's.

    Attributes:
        text: what ours is shown as: "83.92", "↑3.30", "not run" or "-".
        value: percent, or percentage points of a difference; None for none.
        interval: its 95 % confidence interval, likewise.
        paper: the paper's, as printed.
        best: whether no row of the section has more.
        p_value: a difference's, in McNemar's exact test; None for averages.
        marks: numbers of the footnotes on ours.
        paper_marks: those on the paper's.
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
    """A method, or the difference of two.

    Attributes:
        name: of the run, or "difference".
        label: the paper's, without its references and "(ours)".
        cells: one a column.
        marks: numbers of the footnotes on the label.
    """

    name: str
    label: str
    cells: tuple[Cell, ...]
    marks: tuple[int, ...] = ()


class Table(NamedTuple):
    """A table, for `ijsat_tf.evaluation.formats` to print.

    Attributes:
        title: number and caption.
        columns: headings, without the first one, "Method".
        sections: rows between two rules.
        settings: what ours was measured on and with, a line each.
        footnotes: {number: text}.
    """

    title: str
    columns: tuple[str, ...]
    sections: tuple[tuple[Row, ...], ...]
    settings: tuple[str, ...]
    footnotes: dict[int, str]


def paper_tables(number: int, runs: Runs) -> tuple[Table, ...]:
    """A table of the paper, computed from records.

    A record that cannot be compared with the others of its row, column or
    table is shown with a footnote that says why; it is in no average and no
    difference, and never the best.

    Args:
        number: 1 to 7; the halves of Table 2 are two tables.
        runs: {row: {column: `Record`}}, the rows as in `row_names`, the
            columns as `ijsat_tf.attacks.by_name` has them, or, of a
            corruption, as "fog_3". What is not there is "not run".

    Returns:
        One table, or two.

    Raises:
        ValueError: for another number, or a row that the table has not.
    """
    names = row_names(number)
    for name in runs:
        checks.require(
            name in names,
            f"Table {number} has the rows {', '.join(names)}.",
            repr(name),
        )
    tables: list[Table] = []
    for printed in paper.TABLES[number]:
        # On one page, footnotes are counted on.
        notes = _Footnotes(1 + sum(len(table.footnotes) for table in tables))
        table = _computed(printed, runs, notes)
        if table.settings:
            data = f"The paper's numbers are of {paper.DATA[number]}."
            table = table._replace(settings=(*table.settings, data))
        tables.append(table)
    return tuple(tables)


def records_table(runs: Runs) -> Table:
    """All records in one table, a column a name, without numbers of the paper.

    What cannot be compared is told as by `paper_tables`. Records of common
    corruptions are one column, their mean over all of them; the last column
    is the mean of the row.

    Args:
        runs: {name: {name of a record: `Record`}}, of any names.

    Raises:
        ValueError: for no records, or a run called "difference".
    """
    checks.require(
        paper.DIFFERENCE not in runs,
        f"No run can be called {paper.DIFFERENCE!r}, which is the name of "
        "rows that compare two; rename its folder.",
    )
    corrupted, names = False, {}
    for found in runs.values():
        for name, record in found.items():
            if is_corrupted(name, record):
                corrupted = True
            else:
                names[name] = None
    columns = [paper.Column(name, (name,)) for name in names]
    if corrupted:
        columns.append(paper.Column("corrupted", tuple(CELLS)))
    checks.require(columns, "`runs` must hold at least one record.")
    if len(columns) > 1:
        columns.append(paper.Column(paper.AVERAGE, ()))
    rows = tuple(
        paper.PrintedRow(name, name, ("",) * len(columns), {}) for name in runs
    )
    printed = paper.Printed("All records.", tuple(columns), (rows,))
    return _computed(printed, runs, _Footnotes(1))


def row_names(number: int) -> list[str]:
    """The names of a table's runs, in the table's order.

    Args:
        number: 1 to 7.

    Raises:
        ValueError: for another number.
    """
    checks.require(
        number in paper.TABLES,
        "`number` must be that of a table of the paper, 1 to 7.",
        repr(number),
    )
    rows = [row for part in paper.TABLES[number] for row in part.rows]
    return [row.name for row in rows if row.name != paper.DIFFERENCE]


class _Footnotes:
    """Texts, numbered as they first appear."""

    def __init__(self, first: int):
        self.first = first
        self.numbers: dict[str, int] = {}

    def marks(self, *texts: str) -> tuple[int, ...]:
        return tuple(
            self.numbers.setdefault(text, self.first + len(self.numbers))
            for text in texts
        )


def _computed(printed: paper.Printed, runs: Runs, notes: _Footnotes) -> Table:
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
    columns: tuple[paper.Column, ...],
    printed: tuple[paper.PrintedRow, ...],
    entries: Entries,
    notes: _Footnotes,
) -> tuple[Row, ...]:
    found = [
        entries.of_row(row.name)
        for row in printed
        if row.name != paper.DIFFERENCE
    ]
    best = [_best(column) for column in zip(*found)]
    rows = []
    for place, row in enumerate(printed):
        label = re.sub(r" (\[\d+\]|\(ours\))", "", row.label)
        marks = notes.marks(*_footnote(row, paper.METHOD))
        cells = []
        for at, column in enumerate(columns):
            if row.name == paper.DIFFERENCE:
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


def _footnote(row: paper.PrintedRow, heading: str) -> list[str]:
    text = row.footnotes.get(heading)
    return [f"The paper: {text}"] if text else []


def _best(entries: tuple[Entry, ...]) -> float | None:
    """The largest of several means, None for a single one."""
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
    """Second - first; those of one attack can be tested."""
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
