"""Tables of accuracies, against the records' means and known cells."""

import pytest

from ijsat_tf.evaluation import Run, to_html
from ijsat_tf.evaluation.page.accuracies import accuracy_table, doubts
from ijsat_tf.evaluation.page.elements import element
from ijsat_tf.evaluation.paper import as_printed
from ijsat_tf.evaluation.paper.tables import Cell, Row, Table
from tests.evaluation.page.elements_test import page_of
from tests.evaluation.page.parsed import parse, tables
from tests.evaluation.synthetic import row

SEEN = "standard pgd20 autoattack jsa50 elastic jpeg l2".split()


@pytest.fixture
def runs():
    return [
        Run(name, row(SEEN, name, seed=seed), speeds=(10.0, 30.0))
        for seed, name in enumerate(("at", "at_jsa", "ijsat"), start=1)
    ]


def known():
    """Two methods and their difference, with a footnote each."""
    first = Cell("60.00", 60.0, (50.0, 70.0), "61.5", True, marks=(1,))
    second = Cell("40.00", 40.0, (30.0, 50.0), "39.5", paper_marks=(2,))
    change = Cell("↓20.00", -20.0, (-30.0, -10.0), p_value=0.0123)
    rows = (
        Row("a", "A", (first,)),
        Row("b", "B", (second,), marks=(3,)),
        Row("difference", "Difference", (change,)),
    )
    notes = {1: "few images", 2: "a typing error", 3: "five steps"}
    return Table("Table.", ("PGD",), (rows,), ("4 images.",), notes)


def test_accuracies_intervals_and_the_paper_s(runs):
    found = tables(parse(to_html(runs)))
    columns, rows = found["records"]
    assert columns == ["Run", *SEEN, "Avg"]
    for run, (head, *cells) in zip(runs, rows):
        assert head.text == run.name
        for cell, each in zip(cells, run.records.values()):
            value = 100 * each.correct.mean()
            assert float(cell.attributes["data-value"]) == pytest.approx(value)
            assert cell.text.startswith(f"{value:.2f} [")
    columns, rows = found["table-1-1"]
    assert columns == ["Method", "Standard", "PGD20", "AA", "JSA50"] + [
        "Elastic",
        "JPEG",
        "L2",
        "Avg",
    ]
    printed = as_printed.TABLE_1.rows
    assert len(rows) == len(printed)
    for (_, *cells), expected in zip(rows, printed):
        for cell, number in zip(cells, expected.cells):
            assert f"paper {number}" in cell.text
    assert rows[0][1].text.startswith("not run paper")
    assert "data-value" not in rows[0][1].attributes
    bold = [len(list(row[1].all("b"))) for row in found["records"].rows]
    assert bold == [
        run.records["standard"].correct.sum()
        == max(each.records["standard"].correct.sum() for each in runs)
        for run in runs
    ]


def test_cells_as_they_are_read():
    page = page_of(accuracy_table("key", known()))
    table = tables(page)["key"]
    assert table.columns == ["Method", "PGD"]
    assert [[cell.text for cell in line] for line in table.rows] == [
        ["A", "60.00 1 [50.00, 70.00] paper 61.5"],
        ["B 3", "40.00 [30.00, 50.00] paper 39.5 2"],
        ["Difference", "↓20.00 [-30.00, -10.00] p = 0.012"],
    ]
    assert [line[1].attributes.get("style") for line in table.rows] == [
        "--share: 60.00%",
        "--share: 40.00%",
        None,
    ]
    assert [
        [bold.text for bold in line[1].all("b")] for line in table.rows
    ] == [
        ["60.00"],
        [],
        [],
    ]
    caption = next(page.all("caption")).text
    assert "McNemar" in caption and "and the paper's" in caption
    alone = known()._replace(sections=(known().sections[0][:2],))
    assert "McNemar" not in page_of(accuracy_table("key", alone)).text


def test_marks_lead_to_their_footnotes():
    page = page_of(accuracy_table("key", known()))
    notes = {
        "#" + item.attributes["id"]: (item.attributes["value"], item.text)
        for (part,) in [page.all("ol")]
        for item in part.all("li")
    }
    links = [link for mark in page.all("sup") for link in mark.all("a")]
    assert [notes[link.attributes["href"]] for link in links] == [
        ("1", "few images"),
        ("3", "five steps"),
        ("2", "a typing error"),
    ]
    assert [link.text for link in links] == ["1", "3", "2"]


def test_doubts_are_of_our_numbers_alone():
    table = known()
    others = (Row("c", "C", (table.sections[0][0].cells[0],)),)
    table = table._replace(sections=(*table.sections, others))
    (doubt,) = doubts("key", table)
    (item,) = page_of(element("li", *doubt)).all("li")
    assert item.text == "A / PGD, C / PGD : few images"
    assert next(item.all("a")).attributes["href"] == "#key"
