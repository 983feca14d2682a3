"""Tables of accuracies, with their intervals and footnotes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ijsat_tf.evaluation.page.elements import (
    Child,
    Datum,
    Element,
    Line,
    data_table,
    element,
    small,
)
from ijsat_tf.evaluation.paper import as_printed
from ijsat_tf.evaluation.paper.tables import Cell, Row, Table


def accuracy_table(
    key: str, table: Table, first: str = as_printed.METHOD
) -> Element:
    """Returns a table with its settings and its footnotes.

    Args:
        key: Anchor of the table; the anchors of its footnotes begin with it.
        table: Table of `paper_tables` or `records_table`.
        first: Heading of the first column, which names the rows; default
            "Method".
    """
    title = element("strong", table.title)
    bodies = [[_line(key, row) for row in rows] for rows in table.sections]
    heads = [(heading,) for heading in (first, *table.columns)]
    notes = [
        element("li", text, id=_anchor(key, mark), value=str(mark))
        for mark, text in table.footnotes.items()
    ]
    settings = [element("li", setting) for setting in table.settings]
    below = [
        element("ol", *notes, class_="notes") if notes else None,
        element(
            "details",
            element("summary", "Images and attacks"),
            element("ul", *settings),
        )
        if settings
        else None,
    ]
    return element(
        "div",
        data_table(key, (title, " ", *_legend(table)), heads, bodies),
        *(part for part in below if part is not None),
        class_="block",
    )


def doubts(key: str, table: Table) -> Iterator[list[Child]]:
    """Yields the footnotes on our numbers, each with its cells.

    Args:
        key: Anchor of the table.
        table: Table of `records_table`.
    """
    places: dict[int, list[str]] = {}
    for row in (row for section in table.sections for row in section):
        for heading, cell in zip(table.columns, row.cells):
            for mark in cell.marks:
                places.setdefault(mark, []).append(f"{row.label} / {heading}")
    for mark, names in places.items():
        link = element("a", ", ".join(names), href=f"#{key}")
        yield [link, ": ", table.footnotes[mark]]


def _legend(table: Table) -> Iterator[str]:
    rows = [row for section in table.sections for row in section]
    yield "Accuracy in percent, its 95 % interval in brackets"
    if any(cell.paper for row in rows for cell in row.cells):
        yield ", and the paper's"
    yield "; the best of each section in bold."
    if any(row.name == as_printed.DIFFERENCE for row in rows):
        yield (
            " Differences are in percentage points, their intervals paired; "
            "p is that of McNemar's exact test."
        )


def _line(key: str, row: Row) -> Line:
    difference = row.name == as_printed.DIFFERENCE
    head = Datum((row.label, *_marks(key, row.marks)), row.label)
    cells = [_datum(key, cell, difference) for cell in row.cells]
    return Line(head, cells, "difference" if difference else "")


def _datum(key: str, cell: Cell, difference: bool) -> Datum:
    ours: Child = element("b", cell.text) if cell.best else cell.text
    children = [ours, *_marks(key, cell.marks)]
    if cell.interval:
        low, high = cell.interval
        children.append(small(f"[{low:.2f}, {high:.2f}]"))
    if cell.p_value is not None:
        children.append(small(f"p = {cell.p_value:.2g}"))
    if cell.paper:
        marks = _marks(key, cell.paper_marks)
        children.append(small("paper ", cell.paper, *marks))
    if cell.value is None:
        return Datum(tuple(children), kind="number none")
    share = None if difference else cell.value
    return Datum(tuple(children), cell.value, "number", share)


def _marks(key: str, marks: Sequence[int]) -> list[Element]:
    links = [
        element("a", str(mark), href=f"#{_anchor(key, mark)}") for mark in marks
    ]
    return [element("sup", link) for link in links]


def _anchor(key: str, mark: int) -> str:
    return f"{key}-note-{mark}"
