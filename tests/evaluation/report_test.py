"""Tables against their numbers, read back from the text."""

import numpy as np

from ijsat_tf.evaluation import Record, table


def _record(*correct):
    correct = np.array(correct, bool)
    return Record("attack", correct, 0.0 * correct, {}, 1.0)


RECORDS = {
    "AT": {
        "standard": _record(1, 1, 1, 0),
        "pgd20": _record(1, 0, 0, 0),
        "jsa50": _record(0, 0, 0, 0),
    },
    "a longer name": {
        "standard": _record(1, 1, 1, 1),
        "pgd20": _record(1, 1, 0),
        "jsa50": _record(1, 0, 0),
    },
}


def _cells(text):
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.split("\n")
    ]


def test_the_last_column_is_the_mean_of_the_row():
    header, _, *rows = _cells(table(RECORDS))
    assert header == ["Method", "standard", "pgd20", "jsa50", "Avg"]
    assert rows == [
        ["AT", "75.00", "25.00", "0.00", "33.33"],
        ["a longer name", "100.00", "66.67", "33.33", "66.67"],
    ]


def test_it_is_markdown_with_straight_columns():
    lines = table(RECORDS).split("\n")
    places = [
        [place for place, letter in enumerate(line) if letter == "|"]
        for line in lines
    ]
    assert all(each == places[0] for each in places)
    assert len(places[0]) == 6
    assert set(lines[1]) == set("|- ")
    assert all(len(cell) >= 3 for cell in _cells(table(RECORDS))[1])


def test_one_model_s_records_are_a_table_of_one_row():
    *_, row = _cells(table(RECORDS["AT"]))
    assert row == ["model", "75.00", "25.00", "0.00", "33.33"]
