"""Elements of an HTML page, which are balanced and escaped by construction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from xml.etree import ElementTree

Element = ElementTree.Element
Child = Element | str
# A line of the file for each, so that versions of a page can be compared.
_LINES = set(
    "section header nav main footer h1 h2 h3 p ul ol li figure details summary "
    "div table caption thead tbody tr meta title body head".split()
)


class Datum(NamedTuple):
    """A cell of a table.

    Attributes:
        children: what it shows.
        value: what it is sorted by, numbers as numbers; None comes last.
        kind: its classes.
        share: in percent, the length of its bar; None for no bar.
    """

    children: tuple[Child, ...]
    value: float | str | None = None
    kind: str = ""
    share: float | None = None

    @classmethod
    def text(cls, text: str) -> Datum:
        """Text that is sorted by itself."""
        return cls((text,), text)

    @classmethod
    def number(cls, text: str, value: float, *below: Child) -> Datum:
        """A number, and what stands below it."""
        return cls((text, *below), value, "number")

    @classmethod
    def none(cls, text: str = "–") -> Datum:
        """What is not there."""
        return cls((text,), kind="number none")


class Line(NamedTuple):
    """A row of a table: its head, its cells, and its classes."""

    head: Datum
    cells: Sequence[Datum]
    kind: str = ""


def element(name: str, *children: Child, **attributes: str) -> Element:
    """An element; of attributes, `class_` is class and `aria_sort` aria-sort.

    Args:
        name: such as "p".
        *children: elements, and text as it is to be read.
        **attributes: texts; those that are empty are left out.
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
    """A line below a number, in small print."""
    return element("small", *children)


def section(key: str, title: str, *children: Child) -> Element:
    """A section of the page, with its anchor."""
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
    """A table that scrolls by itself, and whose columns can be sorted.

    Args:
        key: its anchor.
        caption: what it shows.
        columns: headings, that of the rows first.
        bodies: rows between two rules, which are sorted by themselves.
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
        # Only what is inside of a caption can stay when a table scrolls.
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
