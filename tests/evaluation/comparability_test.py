"""Which cells stand out, and beside which."""

import pytest

from ijsat_tf.evaluation.comparability import odd_ones
from tests.evaluation.synthetic import record

SETTINGS = ["data", "seed", "model", "attack", "networks"]


def _cells(**changes):
    """Three rows of two columns, with one setting of some cells changed."""
    return [
        (row, column, record([1, 0], **changes.get(f"{row}_{column}", {})))
        for row in ("a", "b", "c")
        for column in ("x", "y")
    ]


def test_nothing_stands_out_of_equal_settings():
    assert not list(odd_ones(_cells()))
    assert not list(odd_ones([]))


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_one_that_most_do_not_agree_with_stands_out(setting):
    changed = 7 if setting == "seed" else "other"
    (odd,) = odd_ones(_cells(b_y={setting: changed}))
    assert odd[:3] == ("b", "y", setting)
    assert odd.received == changed != odd.expected
    there = {"model": "b/x", "attack": "a/y", "networks": "a/y"}
    assert odd.there == there.get(setting, "a/x")
    assert odd.there.split("/")[setting != "model"] in odd.group or (
        odd.group == "the table"
    )


def test_the_first_of_the_table_may_be_the_odd_one():
    (odd,) = odd_ones(_cells(a_x={"data": "other"}))
    assert odd[:3] == ("a", "x", "data") and odd.there == "a/y"


def test_between_equals_the_first_is_right():
    cells = _cells()[:1] + _cells(b_x={"seed": 1})[2:3]
    (odd,) = odd_ones(cells)
    assert odd[:3] == ("b", "x", "seed") and odd.there == "a/x"


def test_each_row_may_have_its_model_and_each_column_its_attack():
    assert not list(
        odd_ones(
            (row, column, record([1], model=row, attack=column))
            for row in "abc"
            for column in "xyz"
        )
    )


def test_corrupted_columns_have_images_of_their_own():
    cells = [
        (row, column, record([1], data=column))
        for row in "ab"
        for column in "xy"
    ]
    assert not list(odd_ones(cells, corrupted={"x", "y"}))
    assert len(list(odd_ones(cells))) == 2
    cells[3] = ("b", "y", record([1], data="x"))
    (odd,) = odd_ones(cells, corrupted={"x", "y"})
    assert odd.group == "the column 'y'" and odd.there == "a/y"


def test_corrupted_columns_are_of_one_kind_of_origin():
    cells = [
        (row, column, record([1], data=column, origin=f"made here: {column}"))
        for row in "ab"
        for column in "xy"
    ]
    assert not list(odd_ones(cells, corrupted={"x", "y"}))
    other = cells[1][2]._replace(origin="published arrays: y")
    cells[1] = ("a", "y", other)
    (odd,) = odd_ones(cells, corrupted={"x", "y"})
    assert odd[:3] == ("a", "y", "kind") and odd.there == "a/x"
    assert (odd.received, odd.expected) == ("published arrays", "made here")
    # The same images are the same, whatever they are said to be.
    same = [(*cell[:2], cell[2]._replace(data="d")) for cell in cells]
    assert not list(odd_ones(same))


def test_another_number_of_images_stands_out_first():
    cells = _cells()
    cells[2] = ("b", "x", record([1, 0, 0], data="other"))
    found = list(odd_ones(cells))
    assert [odd.setting for odd in found] == ["samples", "data"]
    assert (found[0].received, found[0].expected) == (3, 2)
