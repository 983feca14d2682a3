"""The arithmetic of threat models, against NumPy's."""

import numpy as np
import pytest

from ijsat_tf.evaluation import Run, to_html
from tests.evaluation.page.parsed import parse, tables
from tests.evaluation.synthetic import record

COLUMNS = (
    "Run,Attack,Images,|δ| mean,|δ| max,|λ| mean,|λ| max,|x̂ − x| ∞ mean,"
    "|x̂ − x| ∞ max,|x̂ − x| 2 mean,|x̂ − x| 2 max,Clipped"
).split(",")


def _attacked(seed, **settings):
    random = np.random.default_rng(seed)
    made = record([1, 0, 1, 1], attack=f"Attack({seed})", **settings)

    def numbers(largest):
        return (largest * random.random(4)).astype("float32")

    return made._replace(
        linf=numbers(0.1),
        l2=numbers(2),
        clipped=numbers(0.2),
        budget={"pixels": numbers(0.03), "latent": numbers(0.02)},
    )


def _changes(**records):
    return tables(parse(to_html([Run("at", records)])))["changes-others"]


def test_means_and_maxima_in_both_units():
    made = _attacked(1)
    columns, (cells,) = _changes(jsa50=made)
    assert columns == COLUMNS
    assert [cell.text for cell in cells[:3]] == ["at", "jsa50", "4"]
    expected = [
        made.budget["pixels"],
        made.budget["latent"],
        made.linf,
        made.l2,
    ]
    pairs = [cells[3:5], cells[5:7], cells[7:9], cells[9:11]]
    for values, pair, scale in zip(expected, pairs, (255, 1, 255, 255)):
        for cell, value in zip(pair, (np.mean(values), np.max(values))):
            sorted_by = float(cell.attributes["data-value"])
            assert sorted_by == pytest.approx(value, rel=1e-6)
            shown, *below = map(float, cell.text.split())
            assert shown == pytest.approx(scale * value, rel=1e-3, abs=0.005)
            if scale == 255:
                assert below == [pytest.approx(value, abs=5e-5)]
    mean, largest = 100 * np.mean(made.clipped), 100 * np.max(made.clipped)
    assert cells[11].text == f"{mean:.2f} % max {largest:.2f} %"


def test_clean_records_are_no_attack():
    clean = _attacked(1)._replace(attack="standard")
    _, rows = _changes(standard=clean, pgd20=_attacked(2))
    assert [row[1].text for row in rows] == ["pgd20"]


def test_other_spaces_have_a_column():
    made = _attacked(1)
    elastic = made._replace(
        budget={"elastic": np.float32([0.1, 0.2, 0.3, 0.4])}
    )
    columns, rows = _changes(jsa50=made, elastic=elastic)
    assert columns == [*COLUMNS, "Other spaces"]
    assert rows[1][3].text == "–" and rows[0][12].text == ""
    assert rows[1][12].text == "elastic: mean 0.25, max 0.4"


def test_records_that_are_under_way():
    _, rows = _changes(jsa50=_attacked(1)._replace(samples=8))
    assert rows[0][2].text == "4 of 8"


def test_attacks_are_told_with_their_settings():
    found = tables(
        parse(
            to_html(
                [
                    Run(
                        "at", {"pgd": record([1], attack="PGD(0.03137254901)")}
                    ),
                    Run(
                        "iat", {"pgd": record([1], attack="PGD(0.03137254901)")}
                    ),
                    Run("mart", {"pgd": record([1], attack="PGD(0.1)")}),
                ]
            )
        )
    )["attacks-pixels"]
    assert [[cell.text for cell in row] for row in found.rows] == [
        ["pgd", "PGD(0.0313725)", "at, iat"],
        ["pgd", "PGD(0.1)", "mart"],
    ]
