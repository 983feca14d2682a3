"""Sentences against accuracies counted by hand."""

import pytest

from ijsat_tf.evaluation.conclusion import sentence
from tests.evaluation.synthetic import record

ROWS = {
    "standard": {
        "standard": record([1, 1, 1, 1]),
        "pgd20": record([0, 0, 1, 0]),
    },
    "at": {"standard": record([1, 1, 1, 0])},
    "ijsat": {"standard": record([1, 1, 1, 0]), "pgd20": record([1, 1, 0, 0])},
}


def test_the_last_row_is_compared_with_the_first():
    assert sentence(ROWS, "pgd20") == (
        "IJSAT keeps 50 % of 4 images under PGD-20, where an undefended "
        "network keeps 25 %. The difference is 25 points [-46, 75]."
    )


def test_it_begins_with_a_capital_letter():
    backwards = dict(reversed(ROWS.items()))
    assert sentence(backwards, "standard") == (
        "An undefended network keeps 100 % of 4 images without an attack, "
        "where IJSAT keeps 75 %. The difference is 25 points [-28, 70]."
    )


@pytest.mark.parametrize(
    ("column", "shown"),
    [
        ("om_pgd50", "OM-PGD-50"),
        ("jsa50", "JSA-50"),
        ("autoattack", "autoattack"),
        ("l2", "l2"),
    ],
)
def test_other_names_stay(column, shown):
    rows = {"mine": {column: record([1])}, "My net": {column: record([0])}}
    assert sentence(rows, column) == (
        f"My net keeps 0 % of 1 images under {shown}, where mine keeps 100 %. "
        "The difference is -100 points [-100, 12]."
    )


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ValueError, match="two runs or more"):
        sentence({"at": ROWS["at"]}, "standard")
    rows = {name: ROWS[name] for name in ("ijsat", "at")}
    with pytest.raises(ValueError, match="run 'at' must have a record of 'pgd"):
        sentence(rows, "pgd20")
