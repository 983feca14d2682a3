"""A whole page, read back: sound, escaped, complete, and always the same."""

import numpy as np
import pytest

from ijsat_tf.evaluation import Run, to_html
from ijsat_tf.evaluation.figures import sample_grid
from ijsat_tf.evaluation.paper.tables import row_names
from tests.evaluation.page.parsed import parse, tables
from tests.evaluation.synthetic import record, row

SEEN = "standard pgd20 autoattack jsa50 elastic jpeg l2".split()
TALL = ("img", "table")
EVIL = "<script>alert(1)</script>&\"'<img src=x onerror=alert(2)>"


def _run(name, seed=0, columns=SEEN, **settings):
    given = {"dataset": "cifar10", "method": name, **settings}
    return Run(name, row(columns, name, seed=seed), given, (10.0, 30.0))


@pytest.fixture
def runs():
    return [_run("at", 1), _run("at_jsa", 2), _run("ijsat", 3)]


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "samples.png"
    sample_grid(np.zeros((4, 8, 8, 3)), path)
    return path


def test_the_page_is_sound(runs, picture):
    text = to_html(runs, {"Samples": picture}, note="A day")
    assert text.startswith("<!doctype html>\n<html lang=")
    page = parse(text)
    found = list(page.all())
    ids = [node.attributes["id"] for node in found if "id" in node.attributes]
    assert len(set(ids)) == len(ids)
    for node in found:
        for key in ("src", "href", "action", "data", "srcset", "poster"):
            target = node.attributes.get(key, "#")
            local = target == "#" or target[:1] == "#" and target[1:] in ids
            assert local or target.startswith("data:image/png;base64,")
        assert not [key for key in node.attributes if key.startswith("on")]
        assert node.name not in ("link", "base", "iframe", "object", "form")
        for key in ("aria-labelledby", "aria-describedby"):
            assert node.attributes.get(key, ids[0]) in ids
    headings = [
        node.name
        for node in found
        if node.name[0] in "h" and node.name[1:].isdigit()
    ]
    assert headings == ["h1"] + ["h2"] * 10
    listed = [
        link.attributes["href"]
        for nav in page.all("nav")
        for link in nav.all("a")
    ]
    assert listed == [
        "#" + part.attributes["id"] for part in page.all("section")
    ]
    first = next(next(page.all("body")).all("a"))
    assert first.attributes == {"class": "skip", "href": "#main"}
    assert "A day" in next(page.all("header")).text


def test_the_answer_and_the_chart_come_before_the_tables(runs):
    text = to_html(runs)
    page = parse(text)
    first, _, accuracies, *_ = page.all("section")
    assert first.attributes["id"] == "answer" and "right on" in first.text
    assert accuracies.attributes["id"] == "accuracies"
    seen = [node.name for node in accuracies.all() if node.name in TALL]
    assert seen[:2] == ["img", "table"]
    assert text.index("<img") < text.index("<table")


def test_long_tables_fold(runs):
    page = parse(to_html(runs))
    (threat,) = [
        part
        for part in page.all("section")
        if part.attributes["id"] == "threat"
    ]
    # The attacks of these records are of no family that is known.
    (part,) = threat.all("details")
    assert len(list(part.all("table"))) == len(list(threat.all("table"))) == 2
    folded = [each.text for each in page.all("summary")]
    for number in (1, 4, 5):
        assert any(each.startswith(f"Table {number}. ") for each in folded)


def test_every_table_has_a_caption_heads_and_buttons(runs):
    page = parse(to_html(runs))
    for table in page.all("table"):
        assert next(table.all("caption")).text
        (heads,) = [
            row for part in table.all("thead") for row in part.all("tr")
        ]
        for head in heads.all("th"):
            assert head.attributes["scope"] == "col"
            (button,) = head.all("button")
            assert button.attributes["type"] == "button" and button.text
        width = len(list(heads.all("th")))
        for body in table.all("tbody"):
            for line in body.all("tr"):
                cells = [*line.all("th"), *line.all("td")]
                assert cells[0].attributes["scope"] == "row"
                assert len(cells) == width


def test_nothing_of_the_runs_is_markup(picture):
    evil = record([1, 0], attack=EVIL, versions=EVIL)
    evil = evil._replace(
        **dict.fromkeys(("linf", "l2", "clipped"), evil.loss),
        budget={EVIL: evil.loss},
    )
    run = Run(
        EVIL,
        {EVIL: evil, "pgd20": evil},
        {EVIL: EVIL, "dataset": EVIL},
        pictures={EVIL: picture},
        warnings=(EVIL,),
    )
    other = picture.with_name("other.png")
    sample_grid(np.ones((4, 8, 8, 3)), other)
    text = to_html([run, _run("at")], {f"{EVIL}2": other}, note=EVIL)
    page = parse(text)
    scripts = list(page.all("script"))
    assert len(scripts) == 1 and "alert" not in scripts[0].text
    assert len(list(page.all("img"))) == 3  # Two given, and the chart.
    shown = " ".join(EVIL.split())
    for name in ("h1", "title", "li", "th", "td", "figcaption", "button"):
        assert any(shown in node.text for node in page.all(name)), name
    assert any(node.attributes["alt"] == EVIL for node in page.all("img"))
    assert not [node for node in page.all() if "onerror" in node.attributes]


def test_the_same_runs_are_the_same_page(runs, picture):
    pictures = {"Samples": picture}
    assert to_html(runs, pictures) == to_html(list(runs), pictures)


def test_tables_of_the_paper_that_have_a_record(runs):
    def numbers(runs):
        return {
            key
            for key in tables(parse(to_html(runs)))
            if key.startswith("table")
        }

    assert numbers(runs) == {"table-1-1", "table-4-1", "table-5-1"}
    assert numbers([_run("dmat", dataset="om_cifar10")]) == {
        "table-1-1",
        "table-6-1",
    }
    assert numbers([_run("at", dataset="cifar100")]) == {"table-7-1"}
    assert numbers([_run("at", dataset="digits")]) == set()
    assert numbers([_run("unknown")]) == set()
    assert numbers([_run("accuracy_ijsat", columns=SEEN[:1])]) == {"table-2-1"}
    nowhere = _run("at")._replace(settings={})
    assert numbers([nowhere]) == {f"table-{n}-1" for n in (1, 3, 4, 5, 7)}
    assert "mart" in row_names(1)


def test_a_row_with_a_seed_stands_beside_the_paper(runs):
    at, other, _ = runs
    bare = tables(parse(to_html([at])))["table-1-1"].rows
    seeds = [at._replace(name="at-0"), other._replace(name="at-1")]
    found = tables(parse(to_html(seeds)))["table-1-1"].rows
    assert [[cell.text for cell in line] for line in found] == [
        [cell.text for cell in line] for line in bare
    ]


@pytest.mark.parametrize(
    ("settings", "origin", "beside"),
    [
        ({"dataset": "cifar10"}, "digits", True),
        ({"dataset": "om_cifar10"}, "digits", True),
        ({"dataset": "digits"}, "TensorFlow Datasets: cifar10/3.0.2", False),
        ({}, "unknown", True),
        ({}, "TensorFlow Datasets: cifar10/3.0.2", True),
        ({}, "TensorFlow Datasets: cifar100/3.0.2", False),
        ({}, "digits", False),
    ],
)
def test_beside_the_paper_are_its_data_sets(settings, origin, beside):
    found = {
        name: each._replace(origin=origin)
        for name, each in row(SEEN, "at").items()
    }
    page = parse(to_html([Run("at", found, settings)]))
    assert ("table-1-1" in tables(page)) == beside


def test_warnings_are_counted_and_told(runs):
    assert _warnings(runs) == []
    page = parse(to_html(runs))
    assert "0 warnings" in next(page.all("header")).text
    at, at_jsa, ijsat = runs
    at.records["jpeg"] = at.records["jpeg"]._replace(seed=3)
    at_jsa.records["l2"] = at_jsa.records["l2"]._replace(samples=300)
    runs[2] = ijsat._replace(warnings=("A file is missing.",))
    found = _warnings(runs)
    assert found == [
        "at / jpeg : Seed 3, where at/standard has 0: in no average, and "
        "compared with nothing.",
        "at_jsa / l2 : 200 of 300 images so far: in no average, and compared "
        "with nothing.",
        "at_jsa failed 1 check .",
        "A file is missing.",
    ]
    at.records["l2"] = at.records["l2"]._replace(versions="ijsat_tf 0.0.1")
    assert _warnings(runs)[-1] == "Records were made by different versions ."
    rows = tables(parse(to_html(runs)))["made-by"].rows
    assert {row[0].text: row[1].text for row in rows} == {
        "unknown": "20",
        "ijsat_tf 0.0.1": "1",
    }


def _warnings(runs):
    page = parse(to_html(runs))
    (part,) = [
        part
        for part in page.all("section")
        if part.attributes["id"] == "warnings"
    ]
    return [item.text for item in part.all("li")]


def test_runs_without_records():
    page = to_html([Run("flow", {}, {"dataset": "cifar10"})])
    assert "No record yet." in page and "No attack left a record." in page


def test_bad_input(runs):
    with pytest.raises(ValueError, match="at least one run"):
        to_html([])
    with pytest.raises(ValueError, match="each name once"):
        to_html([runs[0], runs[0]])
    with pytest.raises(ValueError, match="difference"):
        to_html([_run("difference")])
