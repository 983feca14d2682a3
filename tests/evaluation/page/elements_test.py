"""Elements of a page, read back by the standard library's parser."""

from xml.etree import ElementTree

import pytest

from ijsat_tf.evaluation.page.elements import (
    Datum,
    Element,
    Line,
    data_table,
    element,
    section,
    small,
)
from tests.evaluation.page.parsed import parse, tables


def page_of(*parts):
    """A page of these elements and texts, read back."""
    body = element("main", *parts)
    text = ElementTree.tostring(body, encoding="unicode", method="html")
    (main,) = [part for part in parse(text).children if part != "\n"]
    return main


def test_texts_and_elements_keep_their_order():
    parts = ["a ", "b ", element("b", "c"), " d ", "e ", element("i"), "f"]
    assert page_of(*parts).text == "a b c d e f"
    assert [node.name for node in page_of(*parts).all()] == ["b", "i"]


@pytest.mark.parametrize(
    "text", ["<b>&amp;</b>", "\"'<!--", "</main>", "a < b & c > d", "&#0;"]
)
def test_texts_are_no_markup(text):
    (node,) = page_of(element("p", text, title=text)).all()
    assert node.children == [text] and node.attributes == {"title": text}


def test_names_of_attributes():
    made = element("p", class_="a", aria_sort="none", name_="b", id="")
    (node,) = page_of(made).all()
    assert node.attributes == {"class": "a", "aria-sort": "none", "name": "b"}


def test_a_section_is_named_by_its_heading():
    (part,) = page_of(section("key", "Title", small("text"))).all("section")
    (heading,) = part.all("h2")
    assert part.attributes["id"] == "key" and heading.text == "Title"
    assert part.attributes["aria-labelledby"] == heading.attributes["id"]
    assert next(part.all("small")).text == "text"


def test_a_table_as_it_is_read():
    lines = [
        Line(Datum.text("a"), [Datum.number("1.50", 1.5, "below")], "odd"),
        Line(Datum.text("b"), [Datum.none()]),
    ]
    last = Line(Datum(("c",)), [Datum(("2",), 2, "number", 40)])
    page = page_of(
        data_table("key", ["Caption"], [("Name",), ("Size",)], [lines, [last]])
    )
    (caption,) = page.all("caption")
    assert caption.text == "Caption" and len(list(page.all("tbody"))) == 2
    columns, rows = tables(page)["key"]
    assert columns == ["Name", "Size"]
    assert [[cell.text for cell in line] for line in rows] == [
        ["a", "1.50below"],
        ["b", "–"],
        ["c", "2"],
    ]
    assert [[cell.attributes for cell in line] for line in rows] == [
        [
            {"scope": "row", "data-value": "a"},
            {"class": "number", "data-value": "1.5"},
        ],
        [{"scope": "row", "data-value": "b"}, {"class": "number none"}],
        [
            {"scope": "row"},
            {
                "class": "number",
                "data-value": "2",
                "style": "--share: 40.00%",
            },
        ],
    ]
    heads = [head for part in page.all("thead") for head in part.all("th")]
    assert [head.attributes.get("class") for head in heads] == [None, "number"]


def test_lines_end_where_a_diff_can_use_it():
    page = element("ul", element("li", element("b", "a")), element("li", "b"))
    assert isinstance(page, Element)
    assert ElementTree.tostring(page, encoding="unicode") == (
        "<ul><li><b>a</b></li>\n<li>b</li>\n</ul>\n"
    )
