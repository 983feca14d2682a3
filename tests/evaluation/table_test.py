"""Tables against their numbers, read back from the text."""

import pytest

import ijsat_tf as ij
from ijsat_tf.evaluation import corruption_table, table
from tests.evaluation.synthetic import record


def _record(*correct, **settings):
    return record(correct, **settings)


RECORDS = {
    "AT": {
        "standard": _record(1, 1, 1, 0),
        "pgd20": _record(1, 0, 0, 0),
        "jsa50": _record(0, 0, 0, 0),
    },
    "a longer name": {
        "standard": _record(1, 1, 1, 1),
        "pgd20": _record(1, 1, 0, 1),
        "jsa50": _record(1, 0, 0, 0),
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
        ["a longer name", "100.00", "75.00", "25.00", "66.67"],
    ]


def test_the_union_counts_images_that_are_right_under_each_attack():
    rows = {
        "at": {"pgd20": _record(1, 1, 0, 0), "stadv100": _record(1, 0, 1, 0)},
        "half": {"pgd20": _record(1, 1, 1, 1)},
    }
    text = table(rows, union=["pgd20", "stadv100"])
    header, _, *rows = _cells(text)
    assert header == ["Method", "pgd20", "stadv100", "Union", "Avg"]
    assert rows == [
        ["at", "50.00", "50.00", "25.00", "50.00"],
        ["half", "100.00", "not run", "-", "-"],
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


def test_columns_that_a_row_lacks_are_not_run_and_it_has_no_mean():
    records = {
        "few": {"standard": _record(1, 0), "fgsm": _record(0, 0)},
        "others": {
            "standard": _record(1, 1),
            "pgd20": _record(1, 0),
            "fgsm": _record(1, 1),
        },
    }
    header, _, *rows = _cells(table(records))
    assert header == ["Method", "standard", "fgsm", "pgd20", "Avg"]
    assert rows == [
        ["few", "50.00", "0.00", "not run", "-"],
        ["others", "100.00", "100.00", "50.00", "83.33"],
    ]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            {
                "AT": {"standard": _record(1, data="1a2b")},
                "IJSAT": {"standard": _record(1, data="3c4d")},
            },
            "one `data` in the table.*1a2b in AT/standard, 3c4d in IJSAT/",
        ),
        (
            {"AT": {"standard": _record(1), "pgd": _record(1, data="other")}},
            "one `data`",
        ),
        (
            {"AT": {"standard": _record(1), "pgd": _record(1, model="new")}},
            "one `model` in the row 'AT'",
        ),
        (
            {
                "AT": {"pgd": _record(1, attack="PGD(Linf(0.1))")},
                "IJSAT": {"pgd": _record(1, attack="PGD(Linf(0.2))")},
            },
            "one `attack` in the column 'pgd'",
        ),
        (
            {
                "AT": {"jsa": _record(1, networks="one flow")},
                "IJSAT": {"jsa": _record(1, networks="another")},
            },
            "one `networks` in the column 'jsa'",
        ),
        (
            {"AT": {"pgd": _record(1), "jsa": _record(1, seed=1)}},
            "one `seed`",
        ),
        ({"AT": {"pgd": _record(1, samples=2)}}, "must be complete.*1 of 2"),
        ({"AT": {}}, "at least one column"),
    ],
)
def test_what_cannot_be_compared_is_refused(rows, message):
    with pytest.raises(ValueError, match=message):
        table(rows)


def test_rows_may_be_of_different_models():
    rows = {
        "AT": {"pgd": _record(1, model="a")},
        "IJSAT": {"pgd": _record(0, model="b")},
    }
    assert "IJSAT" in table(rows)


def test_no_records_are_no_table():
    with pytest.raises(ValueError, match="at least one row"):
        table({})


def _corrupted(columns, right=1, **settings):
    return {
        column: record(
            [1] * right + [0] * (4 - right),
            attack="standard",
            data=column,
            **{"origin": f"made here: {column}", **settings},
        )
        for column in columns
    }


def test_corruptions_are_means_over_severities():
    """One model lacks a severity that the other has."""
    fog, snow = ["fog_1", "fog_3"], ["snow_5"]
    rows = {
        "AT": {"standard": _record(1, 1, 1, 1), **_corrupted(fog + snow)},
        "IJSAT": _corrupted(fog, 2) | _corrupted(["fog_3"], 3),
        "Standard": _corrupted(["fog_1", *snow]),
    }
    first, _, header, _, *lines = corruption_table(rows).split("\n")
    assert first.startswith("Corrupted images: made here (frost with random")
    assert _cells(header) == [["Corruption", *rows]]
    assert _cells("\n".join(lines)) == [
        ["snow 5", "25.00", "not run", "25.00"],
        ["fog 1,3", "25.00", "62.50", "-"],
        ["Mean of all 75", "-", "-", "-"],
    ]


def test_the_last_row_is_the_mean_of_all_75():
    columns = [
        f"{name}_{part}" for name in ij.data.CORRUPTIONS for part in range(1, 6)
    ]
    found = _corrupted(columns, 2) | _corrupted(["frost_2"], 3)
    lines = _cells(corruption_table({"AT": found}))[4:]
    assert [name for name, _ in lines[:-1]] == list(ij.data.CORRUPTIONS)
    assert dict(lines)["frost"] == "55.00" and dict(lines)["fog"] == "50.00"
    assert lines[-1] == ["Mean of all 75", f"{50 + 25 / 75:.2f}"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"origin": "published arrays: fog 3"}, "one `kind` in the corrupted"),
        ({"data": "other"}, "one `data` in the column 'fog_3'"),
        ({"seed": 1}, "one `seed` in the table"),
        ({"model": "other"}, "one `model` in the row"),
        ({"samples": 5}, "must be complete"),
    ],
)
def test_what_must_not_be_compared_of_corruptions(settings, message):
    rows = {"AT": _corrupted(["fog_2", "fog_3"]), "b": _corrupted(["fog_2"])}
    rows["b"]["fog_3"] = rows["AT"]["fog_3"]._replace(**settings)
    with pytest.raises(ValueError, match=message):
        corruption_table(rows)


def test_no_corruptions_are_no_table():
    attack = {"fog_3": _record(1, attack="Fog(128.0, steps=3)")}
    with pytest.raises(ValueError, match="at least one column"):
        corruption_table({"AT": {"standard": _record(1), **attack}})
