"""Speeds, against NumPy's median and seconds that are known."""

import numpy as np
import pytest

from ijsat_tf.evaluation import Run, to_html
from ijsat_tf.evaluation.page.speed import speeds
from tests.evaluation.page.elements_test import page_of
from tests.evaluation.page.parsed import parse, tables
from tests.evaluation.synthetic import record, row

SEEN = "standard pgd20 autoattack jsa50 elastic jpeg l2".split()


@pytest.fixture
def runs():
    return [
        Run(name, row(SEEN, name, seed=seed), speeds=(10.0, 30.0))
        for seed, name in enumerate(("at", "at_jsa", "ijsat"), start=1)
    ]


def test_speeds(runs):
    slow = runs[0].records["pgd20"]._replace(seconds=np.full(200, 0.004))
    runs[0].records["pgd20"] = slow
    del runs[1].records["l2"]
    runs[2] = runs[2]._replace(speeds=())
    columns, rows = tables(parse(to_html(runs)))["speeds"]
    assert columns == ["Run", "Training", *SEEN]
    assert [row[1].text for row in rows] == ["20.00", "20.00", "not timed"]
    assert rows[0][3].text == "250" and rows[1][-1].text == "not run"


@pytest.mark.parametrize("epochs", [1, 4, 7])
def test_training_is_the_median_over_epochs(epochs):
    given = tuple(1e4 * np.random.default_rng(epochs).random(epochs))
    page = page_of(speeds([Run("at", {}, speeds=given)]))
    ((_, cell),) = tables(page)["speeds"].rows
    assert float(cell.attributes["data-value"]) == np.median(given)
    assert cell.text == f"{np.median(given):,.0f}"


def test_batches_that_traced_are_not_timed():
    seconds = np.float32([np.nan, np.nan, 0.5, 0.25])
    found = {
        "some": record([1] * 4, seconds=seconds),
        "none": record([1] * 4, seconds=np.full(4, np.nan, "float32")),
    }
    ((_, training, *cells),) = tables(page_of(speeds([Run("at", found)])))[
        "speeds"
    ].rows
    assert training.text == "not timed"
    assert [cell.text for cell in cells] == ["2.67", "not timed"]
    assert "data-value" not in cells[1].attributes
