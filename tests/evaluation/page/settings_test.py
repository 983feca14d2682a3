"""Settings and versions of runs that are known."""

from ijsat_tf.evaluation import Run, to_html
from ijsat_tf.evaluation.page.settings import made_by, settings, versions
from tests.evaluation.page.elements_test import page_of
from tests.evaluation.page.parsed import parse, tables
from tests.evaluation.synthetic import record


def _run(name, **settings):
    return Run(name, {}, {"dataset": "cifar10", "method": name, **settings})


def test_settings_show_what_differs_first():
    runs = [_run("at", epochs="3"), _run("ijsat", epochs="3", beta="6")]
    found = tables(parse(to_html(runs)))
    assert found["different"].columns == ["Run", "beta", "method"]
    assert [[cell.text for cell in row] for row in found["different"].rows] == [
        ["at", "not set", "at"],
        ["ijsat", "6", "ijsat"],
    ]
    assert [[cell.text for cell in row] for row in found["shared"].rows] == [
        ["dataset", "cifar10"],
        ["epochs", "3"],
    ]
    (alone,) = [
        key for key in tables(parse(to_html(runs[:1]))) if key == "shared"
    ]
    assert "different" not in tables(parse(to_html(runs[:1]))) and alone


def test_runs_without_settings():
    assert page_of(*settings([Run("at", {})])).text == (
        "No run has a settings.cfg."
    )
    runs = [_run("at"), Run("flow", {})]
    page = page_of(*settings(runs))
    assert "different" not in tables(page)
    (summary,) = page.all("summary")
    assert summary.text == "Of at (2 settings)"


def test_long_numbers_are_shown_short_and_sorted_whole():
    page = page_of(*settings([_run("at", epsilon="0.03137254901960784")]))
    (cell,) = [line[1] for line in tables(page)["shared"].rows[1:2]]
    assert cell.text == "0.0313725"
    assert cell.attributes["data-value"] == "0.03137254901960784"


def test_versions_have_a_row_each():
    old, new = (record([1], versions=f"ijsat_tf {n}") for n in (1, 2))
    unknown = record([1])
    runs = [
        Run("at", {"a": old, "b": old, "c": new}),
        Run("ijsat", {"a": new, "b": unknown}),
    ]
    assert made_by(runs) == {
        "ijsat_tf 1": {"at": 2},
        "ijsat_tf 2": {"at": 1, "ijsat": 1},
        "unknown": {"ijsat": 1},
    }
    rows = tables(page_of(versions(runs)))["made-by"].rows
    assert [[cell.text for cell in line] for line in rows] == [
        ["ijsat_tf 1", "2", "at"],
        ["ijsat_tf 2", "2", "at, ijsat"],
        ["unknown", "1", "ijsat"],
    ]
    assert "no versions" in page_of(versions([Run("at", {})])).text
