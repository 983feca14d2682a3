"""The mean over 15 x 5, and what must not enter it."""

import keras
import numpy as np
import pytest

import ijsat_tf as ij

CELLS = [(name, part) for name in ij.data.CORRUPTIONS for part in range(1, 6)]


def record(place, right=5, **changes):
    """`right` of ten samples are correct."""
    settings = {
        "attack": "standard",
        "model": "m",
        "data": f"d{place}",
        "networks": "none",
        "seed": 0,
        "batch_size": 5,
        "samples": 10,
        "correct": np.arange(10) < right,
    }
    return ij.evaluation.Record(**{**settings, **changes})


def records(**changes):
    found = {cell: record(place) for place, cell in enumerate(CELLS)}
    found["fog", 3] = record("fog", **changes)
    return found


def test_is_the_mean_of_75_accuracies():
    mean = ij.evaluation.mean_corruption_accuracy
    assert mean(records()) == 0.5
    np.testing.assert_allclose(mean(records(right=10)), 0.5 + 0.5 / 75)
    # Whatever the order.
    assert mean(dict(reversed(records(right=10).items()))) > 0.5


def test_all_75_must_be_there():
    found = records()
    del found["fog", 3]
    with pytest.raises(ValueError, match=r"\('fog', 3\).*74 records"):
        ij.evaluation.mean_corruption_accuracy(found)
    with pytest.raises(ValueError, match="and 72 more"):
        ij.evaluation.mean_corruption_accuracy({})
    with pytest.raises(ValueError, match="no others.*76 records"):
        ij.evaluation.mean_corruption_accuracy({**records(), ("fog", 6): 0})


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"correct": np.ones(5, bool)}, "must be complete.*5 of 10"),
        ({"model": "other"}, "one `model`"),
        ({"attack": "PGD"}, "one `attack`"),
        ({"samples": 9, "correct": np.ones(9, bool)}, "one `samples`"),
        ({"origin": "published arrays: fog 3"}, "one `kind`"),
    ],
)
def test_records_must_fit_each_other(changes, message):
    with pytest.raises(ValueError, match=message):
        ij.evaluation.mean_corruption_accuracy(records(**changes))


def test_corrupted_records_are_told_from_attacks_by_what_they_are_of():
    of = ij.evaluation.corrupted
    found = {
        "standard": record(0),
        "snow_5": record(1),
        "fog_3": record(2),
        "fog_2": record(3, attack="Fog(128.0, steps=2)"),
        "pgd20": record(4, attack="PGD(Linf(0.1))"),
    }
    assert list(of(found)) == [("snow", 5), ("fog", 3)]
    assert of(found)["fog", 3] is found["fog_3"]


def test_of_what_evaluate_records():
    pytest.importorskip("scipy", reason="SciPy is not installed")
    pytest.importorskip("sklearn", reason="the digits are in scikit-learn")
    digits = ij.data.load("digits", "test").take(20)
    layers = [keras.Input((8, 8, 1)), keras.layers.Flatten()]
    model = keras.Sequential([*layers, keras.layers.Dense(10)])
    weights, bias = model.get_weights()
    found, right = {}, []
    for name, severity in CELLS:
        source = ij.data.corrupted(digits, name, severity)
        pairs = source.scaled(), source.labels
        evaluated = ij.evaluation.evaluate(model, pairs, {}, verbose=False)
        found[name, severity] = evaluated["standard"]
        chosen = np.argmax(pairs[0].reshape(-1, 64) @ weights + bias, axis=1)
        right.append(chosen == source.labels)
    mean = ij.evaluation.mean_corruption_accuracy(found)
    np.testing.assert_allclose(mean, np.mean(right))
    assert len({record.data for record in found.values()}) > 60
