"""Elements of an HTML page, with closed tags and escaped text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from xml.etree import ElementTree

Element = ElementTree.Element
Child = Element | str
# Each of these elements ends a line of the file, so that a diff can compare
# versions of a page.
_LINES = set(
    "section header nav main footer h1 h2 h3 p ul ol li figure details summary "
    "div table caption thead tbody tr meta title body head".split()
)


class Datum(NamedTuple):
    """A cell of a table.

    Attributes:
        children: Contents of the cell: elements and texts.
        value: Value by which the cell is sorted, numbers as numbers; None
            comes last.
        kind: CSS classes of the cell.
        share: Length of the cell's bar in percent; None for no bar.
    """

    children: tuple[Child, ...]
    value: float | str | None = None
    kind: str = ""
    share: float | None = None

    @classmethod
    def text(cls, text: str) -> Datum:
        """Returns a cell with a text, which is sorted by the text."""
        return cls((text,), text)

    @classmethod
    def number(cls, text: str, value: float, *below: Child) -> Datum:
        """Returns a cell with a number, and the children `below` it."""
        return cls((text, *below), value, "number")

    @classmethod
    def none(cls, text: str = "–") -> Datum:
        """Returns a cell for a value that is not there."""
        return cls((text,), kind="number none")


class Line(NamedTuple):
    """A row of a table: its head, its cells, and its CSS classes."""

    head: Datum
    cells: Sequence[Datum]
    kind: str = ""


def element(name: str, *children: Child, **attributes: str) -> Element:
    """Returns an HTML element.

    Args:
        name: Name of the element, such as "p".
        *children: Child elements, and texts, which are not yet escaped.
        **attributes: Attributes as texts; empty texts are left out. `class_`
            is the attribute class, and `aria_sort` is aria-sort.
    """
    made = Element(
        name,
        {
            key.strip("_").replace("_", "-"): value
            for key, value in attributes.items()
            if value
        },
    )
    made.tail = "\n" if name in _LINES else None
    for child in children:
        if isinstance(child, Element):
            made.append(child)
        elif len(made):
            made[-1].tail = (made[-1].tail or "") + child
        else:
            made.text = (made.text or "") + child
    return made


def small(*children: Child) -> Element:
    """Returns a line in small print, to stand below a number."""
    return element("small", *children)


def section(key: str, title: str, *children: Child) -> Element:
    """Returns a section of the page, with the anchor `key`."""
    heading = element("h2", title, id=f"{key}-title")
    return element(
        "section", heading, *children, id=key, aria_labelledby=f"{key}-title"
    )


def data_table(
    key: str,
    caption: Sequence[Child],
    columns: Sequence[Sequence[Child]],
    bodies: Iterable[Sequence[Line]],
) -> Element:
    """Returns a table that scrolls by itself, with columns to sort by.

    Args:
        key: Anchor of the table.
        caption: Caption of the table.
        columns: Headings of the columns, the heading of the row names first.
        bodies: Groups of rows, with a rule between two groups; each group is
            sorted by itself.
    """
    label = f"{key}-caption"
    bodies = list(bodies)
    numbers = {
        place
        for lines in bodies
        for line in lines
        for place, datum in enumerate((line.head, *line.cells))
        if "number" in datum.kind
    }
    heads = [
        element(
            "th",
            element("button", *heading, type="button"),
            scope="col",
            class_="number" if place in numbers else "",
        )
        for place, heading in enumerate(columns)
    ]
    table = element(
        "table",
        # The div keeps its place when the table scrolls sideways, which the
        # caption itself cannot.
        element("caption", element("div", *caption, id=label)),
        element("thead", element("tr", *heads)),
        *(element("tbody", *map(_row, lines)) for lines in bodies),
    )
    return element(
        "div",
        table,
        id=key,
        class_="scroll",
        role="region",
        aria_labelledby=label,
        tabindex="0",
    )


def _row(line: Line) -> Element:
    return element(
        "tr",
        _cell("th", line.head, scope="row"),
        *(_cell("td", datum) for datum in line.cells),
        class_=line.kind,
    )


def _cell(name: str, datum: Datum, **attributes: str) -> Element:
    if datum.value is not None:
        attributes["data_value"] = str(datum.value)
    if datum.share is not None:
        attributes["style"] = f"--share: {datum.share:.2f}%"
    return element(name, *datum.children, class_=datum.kind, **attributes)
