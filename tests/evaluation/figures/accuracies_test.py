"""The chart of accuracies, read back from its file."""

import re

import numpy as np
import pytest

from ijsat_tf.evaluation import accuracy_chart
from tests.evaluation.synthetic import record, row

NAMES = ["standard", "pgd20", "l2"]
BLUE, VERMILION = "#0072b2", "#d55e00"


def markers(text, colour):
    """Places of a run's points, and of its one point in the legend."""
    found = re.findall(
        rf'x="([\d.]+)" y="([\d.]+)" style="fill: {colour}', text
    )
    return np.array(found, float)


def test_a_point_per_model_and_attack(tmp_path):
    records = {
        "at": row(NAMES, "at", seed=1),
        "$a$ & <b>": row(NAMES, "ijsat", seed=2),
    }
    accuracy_chart(records, tmp_path / "chart.svg")
    text = (tmp_path / "chart.svg").read_text()
    for label in (*NAMES, "at"):
        assert f"<!-- {label} -->" in text
    places, accuracies = [], []
    for found, colour in zip(records.values(), (BLUE, VERMILION)):
        drawn = markers(text, colour)
        assert len(drawn) == len(NAMES) + 1
        places.append(drawn[: len(NAMES)])
        accuracies.append([each.correct.mean() for each in found.values()])
    places, accuracies = np.array(places), np.array(accuracies)
    # To the right in proportion to the accuracy, and one line per attack.
    x, y = places[..., 0].ravel(), places[..., 1]
    slope, start = np.polyfit(accuracies.ravel(), x, 1)
    np.testing.assert_allclose(start + slope * accuracies.ravel(), x, atol=0.01)
    assert slope > 0 and (np.diff(y, axis=1) > 0).all()
    assert y.max(0)[0] < y.min(0)[1] and y.max(0)[1] < y.min(0)[2]


def test_what_cannot_be_compared_has_no_point(tmp_path):
    at, other = row(NAMES, "at", seed=1), row(NAMES, "other", seed=2)
    other["pgd20"] = other["pgd20"]._replace(seed=1)
    other["l2"] = other["l2"]._replace(samples=300)
    accuracy_chart({"at": at, "other": other}, tmp_path / "chart.svg")
    text = (tmp_path / "chart.svg").read_text()
    assert len(markers(text, BLUE)) == 4
    assert len(markers(text, VERMILION)) == 2


def test_only_complete_records_are_drawn(tmp_path):
    begun = record([1, 0], samples=4)
    for records in ({}, {"at": {}}, {"at": {"pgd20": begun}}):
        with pytest.raises(ValueError, match="at least one complete record"):
            accuracy_chart(records, tmp_path / "chart.png")
    assert not list(tmp_path.iterdir())
