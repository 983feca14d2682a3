"""The paper's tables, from records that are known."""

import numpy as np
import pytest

from ijsat_tf.evaluation import paper_tables
from ijsat_tf.evaluation.paper import as_printed, tables
from ijsat_tf.evaluation.statistics import (
    difference_interval,
    interval,
    mcnemar,
)
from tests.evaluation.synthetic import record, row

SEEN = "standard pgd20 autoattack jsa50 elastic jpeg l2".split()
WITHOUT_JSA = [name for name in SEEN if name != "jsa50"]
CORRUPTIONS = as_printed.TABLES[2][1].columns[0].records


def by_name(table):
    return {row.name: row for section in table.sections for row in section}


def _accuracies(records):
    return [100 * found.correct.mean() for found in records.values()]


def corrupted(model, seed=0, images=50):
    random = np.random.default_rng(seed)
    return {
        name: record(
            random.random(images) < 0.6,
            attack="standard",
            model=model,
            data=name,
        )
        for name in CORRUPTIONS
    }


@pytest.fixture
def runs():
    """Two rows of Table 1, of other models on the same images."""
    return {
        "at": row(SEEN, "a", seed=1),
        "ijsat": row(SEEN, "b", seed=2),
    }


def changed(runs, place, **settings):
    name, column = place.split("/")
    found = runs[name][column]._replace(**settings)
    return {**runs, name: {**runs[name], column: found}}


def test_cells_are_accuracies_with_intervals_beside_the_paper_s(runs):
    (table,) = paper_tables(1, runs)
    assert table.columns == ("Standard", "PGD20", "AA", "JSA50") + (
        "Elastic",
        "JPEG",
        "L2",
        "Avg",
    )
    for name, records in runs.items():
        found = by_name(table)[name]
        *cells, mean = found.cells
        for cell, of_column in zip(cells, records.values()):
            assert cell.value == pytest.approx(100 * of_column.correct.mean())
            assert cell.text == f"{cell.value:.2f}"
            np.testing.assert_allclose(
                np.divide(cell.interval, 100), interval(of_column.correct)
            )
        assert mean.value == pytest.approx(np.mean(_accuracies(records)))
        scores = np.mean([each.correct for each in records.values()], axis=0)
        np.testing.assert_allclose(
            np.divide(mean.interval, 100), interval(scores)
        )
    printed = [cell.paper for cell in by_name(table)["ijsat"].cells]
    assert (
        " ".join(printed) == "83.16 53.68 47.58 47.43 59.74 30.01 23.18 49.25"
    )


def test_rows_are_the_paper_s_without_its_references(runs):
    (table,) = paper_tables(1, runs)
    labels = [row.label for row in table.sections[0]]
    assert labels == [
        "Normal Training",
        "AT [PGD-5]",
        "DMAT",
        "IAT",
        "TRADES",
        "MART",
        "IJSAT",
    ]


def test_a_missing_run_is_not_run(runs):
    (table,) = paper_tables(1, runs)
    *cells, mean = by_name(table)["mart"].cells
    assert {cell.text for cell in cells} == {"not run"} and mean.text == "-"
    assert all(cell.value is cell.interval is None for cell in cells)
    assert cells[0].paper == "82.81"


def test_a_missing_column_is_not_run_and_its_row_has_no_average(runs):
    del runs["at"]["jsa50"]
    found = by_name(paper_tables(1, runs)[0])
    assert found["at"].cells[3].text == "not run"
    assert found["at"].cells[-1].value is None
    assert found["ijsat"].cells[-1].value is not None


def test_the_best_of_a_section_and_column(runs):
    (table,) = paper_tables(1, runs)
    for at, *cells in zip(
        range(8), *(by_name(table)[name].cells for name in runs)
    ):
        values = [cell.value for cell in cells]
        assert [cell.best for cell in cells] == [
            value == max(values) for value in values
        ], at
    (table,) = paper_tables(1, {"at": runs["at"]})
    assert not any(cell.best for cell in by_name(table)["at"].cells)


def test_sections_have_bests_of_their_own():
    runs = {
        name: row(SEEN, name, seed=seed)
        for seed, name in enumerate(tables.row_names(4))
    }
    (table,) = paper_tables(4, runs)
    assert [len(section) for section in table.sections] == [4, 3, 1]
    for section in table.sections:
        cells = [row.cells[0] for row in section]
        largest = max(cell.value for cell in cells)
        for cell in cells:
            # Two may be, and none is the best of one.
            assert cell.best is (len(cells) > 1 and cell.value == largest)


@pytest.mark.parametrize(
    ("setting", "value", "reason"),
    [
        ("data", "other", "Other images or labels than at/standard"),
        ("seed", 3, "Seed 3, where at/standard has 0"),
        ("attack", "PGD(0.1)", r"PGD(0.1), where at/pgd20 has Attack('pgd20')"),
        ("networks", "other", "Another generator than at/pgd20"),
        ("model", "other", "Other weights than ijsat/standard"),
    ],
)
def test_what_cannot_be_compared_is_shown_with_the_reason(
    setting, value, reason, runs
):
    before = by_name(paper_tables(1, runs)[0])
    (table,) = paper_tables(1, changed(runs, "ijsat/pgd20", **{setting: value}))
    cell = by_name(table)["ijsat"].cells[1]
    assert cell.value == before["ijsat"].cells[1].value
    (mark,) = cell.marks
    assert table.footnotes[mark] == (
        f"{reason}: in no average, and compared with nothing."
    )
    # Neither side of the comparison is the best, and the row has no mean.
    assert not cell.best and not by_name(table)["at"].cells[1].best
    assert by_name(table)["ijsat"].cells[-1].text == "-"
    assert not by_name(table)["at"].cells[-1].best
    assert by_name(table)["at"].cells[-1].value is not None
    marked = [
        cell
        for row in by_name(table).values()
        for cell in row.cells
        if cell.marks
    ]
    assert len(marked) == 1


def test_footnotes_on_the_paper_s_numbers_and_labels(runs):
    (table,) = paper_tables(1, runs)
    found = by_name(table)
    assert "ten steps" in table.footnotes[found["at"].marks[0]]
    for name, at, text in (
        ("at", 5, "26.76 in Tables 4 and 5"),
        ("trades", 6, "23.72 in Table 5"),
        ("mart", 7, "mean 47.66"),
    ):
        (mark,) = found[name].cells[at].paper_marks
        assert text in table.footnotes[mark]
    assert list(table.footnotes) == [1, 2, 3, 4, 5]


def test_differences_are_of_the_same_images():
    runs = {
        "mart": row(WITHOUT_JSA, "a", seed=1),
        "mart_jsa": row(WITHOUT_JSA, "b", seed=2),
    }
    (table,) = paper_tables(5, runs)
    *_, section = table.sections
    *cells, mean = section[2].cells
    for cell, name in zip(cells, WITHOUT_JSA):
        pair = [runs[run][name].correct for run in runs]
        first, second = (100 * right.mean() for right in pair)
        assert cell.value == pytest.approx(second - first)
        arrow = "↑" if second > first else "↓" if second < first else ""
        assert cell.text == f"{arrow}{abs(second - first):.2f}"
        np.testing.assert_allclose(
            np.divide(cell.interval, 100), difference_interval(*pair)
        )
        assert cell.p_value == mcnemar(*pair)
        chance = [table.footnotes[mark] for mark in cell.marks]
        assert any("McNemar" in text for text in chance) == (
            cell.p_value >= 0.05
        )
        assert not cell.best
    assert mean.value == pytest.approx(
        section[1].cells[-1].value - section[0].cells[-1].value
    )
    assert mean.p_value is None and mean.interval[0] < mean.value
    assert [cell.paper for cell in section[2].cells][-1] == "↑1.28"
    # The other sections have not run.
    assert {cell.text for cell in table.sections[0][2].cells} == {"-"}


def test_no_difference_of_what_cannot_be_compared():
    runs = {
        "dmat": row(SEEN, "a", seed=1),
        "dmat_jsa": row(SEEN, "b", seed=2),
    }
    (table,) = paper_tables(6, changed(runs, "dmat_jsa/jpeg", networks="x"))
    cells = table.sections[0][2].cells
    assert [cell.text == "-" for cell in cells] == [False] * 5 + [
        True,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [(3.3, "↑3.30"), (-1.4, "↓1.40"), (0.0, "0.00"), (-0.001, "0.00")],
)
def test_arrows(value, text):
    assert tables._arrow(value) == text


def test_the_halves_of_table_2():
    clean = {"standard": record([1, 1, 1, 0], attack="standard")}
    runs = {"accuracy_ijsat": clean, "corruptions_at": corrupted("c")}
    left, right = paper_tables(2, runs)
    assert left.columns == ("Standard",) and right.columns == ("Corrupted",)
    assert by_name(left)["accuracy_ijsat"].cells[0].text == "75.00"
    assert by_name(left)["accuracy_ijsat"].cells[0].paper == "96.9"
    (cell,) = by_name(right)["corruptions_at"].cells
    records = runs["corruptions_at"]
    assert cell.value == pytest.approx(np.mean(_accuracies(records)))
    # Seventy-five times the same 50 images are no 3,750 images.
    scores = np.mean([each.correct for each in records.values()], axis=0)
    np.testing.assert_allclose(np.divide(cell.interval, 100), interval(scores))
    assert by_name(right)["corruptions_rlat"].cells[0].text == "not run"
    assert left.settings[0].startswith("4 images")
    assert right.settings == (
        "50 images, seed 0; corruptions: of unknown origin.",
        "The paper's numbers are of cifar10.",
    )
    assert not set(left.footnotes) & set(right.footnotes)


def test_every_table_without_any_record_is_not_run():
    for number in as_printed.TABLES:
        for table in paper_tables(number, {}):
            for found in by_name(table).values():
                assert {cell.text for cell in found.cells} <= {"not run", "-"}
            assert table.settings == ()


@pytest.mark.parametrize(
    ("number", "runs", "message"),
    [
        (8, {}, "of the paper, 1 to 7"),
        (1, {"at_jsa": {}}, "rows of Table 1, standard, at, .*'at_jsa'"),
    ],
)
def test_tables_and_rows_that_are_not_there(number, runs, message):
    with pytest.raises(ValueError, match=message):
        paper_tables(number, runs)


def test_all_records_in_one_table(runs):
    runs["mine"] = row(["standard", "apgd"], "c", seed=3)
    table = tables.records_table(runs)
    assert table.columns == (*SEEN, "apgd", "Avg")
    found = by_name(table)
    assert list(found) == ["at", "ijsat", "mine"]
    for name, records in runs.items():
        for heading, cell in zip(table.columns, found[name].cells[:-1]):
            assert cell.paper == ""
            if heading in records:
                mean = 100 * records[heading].correct.mean()
                assert cell.value == pytest.approx(mean)
            else:
                assert cell.text == "not run"


def test_corruptions_are_one_column_of_all_records(runs):
    mixed = {"at": {**runs["at"], **corrupted("a", images=200)}}
    table = tables.records_table(mixed)
    assert table.columns == (*SEEN, "corrupted", "Avg")
    mean = np.mean([mixed["at"][name].correct.mean() for name in CORRUPTIONS])
    assert by_name(table)["at"].cells[-2].value == pytest.approx(100 * mean)
    # An attack may have the name of a corruption.
    attack = {"at": {"fog_3": record([1, 0], attack="Fog(128)")}}
    assert tables.records_table(attack).columns == ("fog_3",)


def test_no_records_are_no_table(runs):
    with pytest.raises(ValueError, match="at least one record"):
        tables.records_table({"at": {}})
    with pytest.raises(ValueError, match="rename the folder"):
        tables.records_table({"difference": runs["at"]})
