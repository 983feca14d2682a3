"""Entries of tables, against NumPy's means and reasons that are known."""

import numpy as np
import pytest

from ijsat_tf.evaluation import paper_tables
from ijsat_tf.evaluation.paper import as_printed, tables
from ijsat_tf.evaluation.paper.entries import Entries, Entry, short
from tests.evaluation.paper.tables_test import (
    SEEN,
    by_name,
    changed,
    corrupted,
)
from tests.evaluation.synthetic import record, row


@pytest.fixture
def runs():
    """Two rows of Table 1, of other models on the same images."""
    return {
        "at": row(SEEN, "a", seed=1),
        "ijsat": row(SEEN, "b", seed=2),
    }


def small_table():
    """Two corruptions in one column, an attack in its own, their mean."""
    columns = (("Fog", ("fog_1", "fog_2")), ("Z", ("z",)), ("Avg", ()))
    rows = tuple(
        as_printed.PrintedRow(name, name, ("",) * 3, {}) for name in "ab"
    )
    columns = tuple(as_printed.Column(*column) for column in columns)
    return as_printed.Printed("Small.", columns, (rows,))


def test_scores_are_shares_image_by_image():
    right = np.array([[1, 1, 0, 0], [1, 0, 1, 0], [1, 1, 1, 0]])
    found = {
        name: record(one, attack="standard")
        for name, one in zip(("fog_1", "fog_2", "z"), right)
    }
    both, alone, mean = Entries(small_table(), {"a": found}).of_row("a")
    np.testing.assert_array_equal(both.scores, [1, 0.5, 0.5, 0])
    np.testing.assert_array_equal(alone.scores, right[2])
    np.testing.assert_array_equal(mean.scores, [1, 0.75, 0.75, 0])
    assert both.comparable and alone.comparable and mean.comparable


def test_what_is_missing_is_not_run_or_in_no_average():
    found = {
        "fog_1": record([1, 0], attack="standard"),
        "z": record([1, 1]),
    }
    entries = Entries(small_table(), {"a": found})
    both, alone, mean = entries.of_row("a")
    assert both == Entry(None, "-", ("1 of 2 records",))
    assert alone.comparable and mean == Entry(None, "-")
    words = [entry.word for entry in entries.of_row("b")]
    assert words == ["not run", "not run", "-"]


def test_an_odd_one_has_its_number_and_its_reason():
    runs = {
        name: {"z": record([1, 0], model=name, seed=seed)}
        for name, seed in (("a", 0), ("b", 7))
    }
    entries = Entries(small_table(), runs)
    first, odd = (entries.of_row(name)[1] for name in "ab")
    assert first.comparable and not odd.comparable
    np.testing.assert_array_equal(odd.scores, [1, 0])
    assert odd.reasons == ("Seed 7, where a/z has 0",)
    assert entries.settings()[0].startswith("2 images, seed 0;")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("PGD(0.03137254901960784, 0.5)", "PGD(0.0313725, 0.5)"),
        ("0.123456 and 0.1234567", "0.123456 and 0.123457"),
        ("1.00000001e-05", "1e-05"),
        (
            "versions 2.21.0, 20261231 images",
            "versions 2.21.0, 20261231 images",
        ),
    ],
)
def test_long_numbers_are_shown_short(text, shown):
    assert short(text) == shown


def test_other_numbers_of_images_are_told(runs):
    runs["trades"] = row(SEEN, "c", images=50)
    (table,) = paper_tables(1, runs)
    found = by_name(table)["trades"].cells
    assert {table.footnotes[mark] for cell in found for mark in cell.marks} == {
        "50 images, where at/standard has 200: in no average, and compared "
        "with nothing."
    }
    assert found[-1].text == "-" and not any(cell.best for cell in found)
    assert table.settings[0].startswith("200 images, seed 0; unknown")


def test_most_records_decide_what_the_others_are_compared_with(runs):
    runs = {"standard": row(SEEN, "c", images=50), **runs}
    (table,) = paper_tables(1, runs)
    assert "50 images, where at/standard has 200" in str(table.footnotes)
    assert table.settings[0].startswith("200 images")


def test_a_record_under_way_has_no_number(runs):
    found = runs["at"]["pgd20"]
    names = "correct", "margin", "loss", "overflowed", "seconds"
    part = {name: getattr(found, name)[:20] for name in names}
    (table,) = paper_tables(1, changed(runs, "at/pgd20", **part))
    cell = by_name(table)["at"].cells[1]
    assert cell.text == "-" and cell.value is None
    assert table.footnotes[cell.marks[0]].startswith("20 of 200 images so far")
    assert by_name(table)["at"].cells[-1].text == "-"


def test_settings_name_the_attacks(runs):
    runs = changed(runs, "at/pgd20", attack="PGD(Linf(0.03137254901960784))")
    runs = changed(runs, "ijsat/pgd20", attack="PGD(Linf(0.03137254901960784))")
    (table,) = paper_tables(1, runs)
    assert table.settings == (
        "200 images, seed 0; unknown, with the fingerprint data.",
        "PGD20: PGD(Linf(0.0313725))",
        "AA: Attack('autoattack')",
        "JSA50: Attack('jsa50')",
        "Elastic: Attack('elastic')",
        "JPEG: Attack('jpeg')",
        "L2: Attack('l2')",
        "The paper's numbers are of cifar10.",
    )


def test_corruptions_made_here_and_published_ones_are_not_mixed():
    here, published = (f"{kind}: fog 3" for kind in ("made here", "published"))
    runs = {
        name: {
            column: found._replace(origin=here)
            for column, found in corrupted(name).items()
        }
        for name in tables.row_names(2)[7:10]
    }
    mixed, whole, _ = runs
    runs[mixed]["fog_3"] = runs[mixed]["fog_3"]._replace(origin=published)
    _, table = paper_tables(2, runs)
    cells = {name: by_name(table)[name].cells[0] for name in runs}
    assert cells[mixed].text == "-" and cells[whole].value is not None
    (mark,) = cells[mixed].marks
    assert table.footnotes[mark].startswith(
        f"Images of another origin (published) than {mixed}/gaussian_noise_1 "
        "(made here)"
    )
    # What stands in for the original's photographs is told.
    assert "made here (frost with random textures" in table.settings[0]


def test_corruptions_are_averaged_over_all_seventy_five_or_not_at_all():
    runs = {name: corrupted(name) for name in tables.row_names(2)[7:12]}
    names = list(runs)
    del runs[names[0]]["fog_3"]
    for name, settings in zip(
        names[1:], ({"data": "x"}, {"attack": "Fog(3)"}, {"seed": 5})
    ):
        found = runs[name]["fog_3"]
        runs[name]["fog_3"] = found._replace(**settings)
    _, table = paper_tables(2, runs)
    found = [by_name(table)[name].cells[0] for name in names]
    assert [cell.text for cell in found[:4]] == ["-"] * 4
    reasons = [table.footnotes[cell.marks[0]] for cell in found[:4]]
    for reason, expected in zip(
        reasons,
        ("74 of 75 records", "Other images", "An attack, no", "Seed 5"),
    ):
        assert reason.startswith(expected)
    assert found[4].value is not None
