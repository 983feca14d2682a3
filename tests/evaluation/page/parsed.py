"""A page read back by the standard library's parser."""

from html.parser import HTMLParser
from typing import NamedTuple

_VOID = {"meta", "img", "br"}


class Node:
    """An element of the page."""

    def __init__(self, name, attributes):
        self.name, self.attributes = name, dict(attributes)
        self.children = []

    def all(self, name=None):
        """The elements below it of this name, or of any."""
        for child in self.children:
            if isinstance(child, Node):
                if name in (None, child.name):
                    yield child
                yield from child.all(name)

    @property
    def text(self):
        parts = (
            part.text if isinstance(part, Node) else part
            for part in self.children
        )
        return " ".join(" ".join(parts).split())


class _Parser(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open = [Node("page", {})]

    def handle_starttag(self, name, attributes):
        names = [key for key, _ in attributes]
        assert len(set(names)) == len(names), f"{name} has {names}"
        node = Node(name, attributes)
        self.open[-1].children.append(node)
        if name not in _VOID:
            self.open.append(node)

    def handle_endtag(self, name):
        assert self.open.pop().name == name

    def handle_data(self, data):
        self.open[-1].children.append(data)


def parse(text):
    """The page; every element is closed, in the right order."""
    parser = _Parser()
    parser.feed(text)
    parser.close()
    assert len(parser.open) == 1
    return parser.open[0]


class Table(NamedTuple):
    """A table of the page: its headings, and {heads: cells} of its rows."""

    columns: list
    rows: list


def tables(page):
    """{anchor: `Table`}, its cells as nodes, heads of rows among them."""
    found = {}
    for place in page.all("div"):
        if place.attributes.get("class") == "scroll":
            (head,) = [
                row for part in place.all("thead") for row in part.all("tr")
            ]
            found[place.attributes["id"]] = Table(
                [cell.text for cell in head.all("th")],
                [
                    [cell for cell in row.children if isinstance(cell, Node)]
                    for body in place.all("tbody")
                    for row in body.all("tr")
                ],
            )
    return found
