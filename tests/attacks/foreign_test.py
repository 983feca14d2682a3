"""The bridge: what the function gets, what is measured, what is refused."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.attacks import FGSM, WorstOf, foreign
from ijsat_tf.evaluation import evaluate, record_checks
from ijsat_tf.spaces import Linf
from tests import tiny

LABELS = np.array([0, 1, 2, 0, 1, 2])


def darker(images, classes):
    """Writes into what it gets, and answers in another float type."""
    images -= 0.1 * (1 + classes[:, None, None, None])
    return np.maximum(images, 0).astype("float64")


DARKER = foreign(darker, name="darker")


def test_it_is_measured_by_the_model_eagerly_and_in_a_graph(images):
    model, seen = tiny.make_classifier(), []

    def run(batch, classes):
        seen.append((tf.executing_eagerly(), batch.dtype, classes.dtype))
        assert isinstance(batch, np.ndarray) and batch.shape == images.shape
        np.testing.assert_array_equal(classes, LABELS)
        return darker(batch, classes)

    attack = foreign(run, name="run")
    kept = images.copy()
    result = attack(model, images, LABELS)
    np.testing.assert_array_equal(images, kept)
    expected = darker(images.copy(), LABELS).astype("float32")
    np.testing.assert_array_equal(result.images, expected)
    logits = model(expected).numpy()
    np.testing.assert_array_equal(result.success, logits.argmax(1) != LABELS)
    change = np.reshape(expected - images, (6, -1))
    for norm, order in (("l2", 2), ("linf", np.inf)):
        used = np.linalg.norm(change, order, axis=1)
        np.testing.assert_allclose(result.budget[norm], used, rtol=1e-5)
    one_hot = np.eye(3, dtype="float32")[LABELS]
    again = tf.function(attack)(model, tf.constant(images), one_hot)
    np.testing.assert_array_equal(again.images, expected)
    np.testing.assert_allclose(again.loss, result.loss, rtol=1e-5)
    found = attack.adversarial(model, images, LABELS)
    np.testing.assert_array_equal(found, expected)
    assert seen[0] == (True, np.float32, np.int64) and len(seen) == 3


def test_it_stands_among_the_attacks_of_an_evaluation(images, tmp_path):
    model = tiny.make_classifier()
    batches = []

    def run(batch, classes):
        batches.append(len(batch))
        return darker(batch, classes)

    attacks = {
        "fgsm": FGSM(Linf(0.05)),
        "foreign": foreign(run, name="by run"),
        "worst": WorstOf([FGSM(Linf(0.05)), DARKER]),
    }
    given = model, (images, LABELS), attacks, 4
    records = evaluate(*given, folder=tmp_path, verbose=False)
    assert batches == [4, 2]
    record = records["foreign"]
    assert record.attack == "foreign(..., name='by run')"
    np.testing.assert_allclose(record.budget["l2"], record.l2, rtol=1e-5)
    assert set(records["worst"].budget) >= {"foreignattack: l2"}
    verdicts = [check.passed for check in record_checks(records, attacks)]
    assert False not in verdicts and True in verdicts
    # The name stands for the function, also in another process.
    attacks["foreign"] = foreign(darker, name="by run")
    again = evaluate(*given, folder=tmp_path, verbose=False)
    np.testing.assert_array_equal(again["foreign"].loss, record.loss)
    attacks["foreign"] = foreign(run, name="another")
    with pytest.raises(ValueError, match="another evaluation"):
        evaluate(*given, folder=tmp_path, verbose=False)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda images: (255 * images).astype("uint8"), "floats .*uint8"),
        (lambda images: images.transpose(0, 3, 1, 2), r"last.*\(6, 2, 8, 8\)"),
        (lambda images: images[:1], r"of the shape \(6, 8, 8, 2\)"),
        (lambda images: images + 1, r"in \[0, 1\] without NaN.*from 1\."),
        (lambda images: images * np.nan, r"in \[0, 1\] without NaN.*nan"),
        (lambda images: None, "floats .* Received: dtype object"),
        (lambda images: [images, images[0]], "a NumPy array; for .*list"),
    ],
)
def test_what_a_function_may_not_return(images, answer, message):
    attack = foreign(lambda images, _: answer(images), name="odd one")
    start = r"function of foreign\(..., name='odd one'\) must return .*"
    with pytest.raises(ValueError, match=start + message):
        attack(tiny.make_classifier(), images, LABELS)


def test_rounding_beyond_the_range_is_cut_off(images):
    attack = foreign(lambda images, _: images * 0 + 1 + 5e-7, name="white")
    result = attack(tiny.make_classifier(), images, LABELS)
    assert np.max(result.images) == 1


def test_errors_of_the_function_arrive_as_they_are(images):
    def fails(images, classes):
        raise KeyError("mine")

    attack = foreign(fails, name="fails")
    with pytest.raises(KeyError, match="mine"):
        attack(tiny.make_classifier(), images, LABELS)
    # Labels are checked before the function is called.
    for labels, message in (
        (np.full((6, 3), 1 / 3), "'fails'.* needs hard labels"),
        (LABELS + 1, "`labels` must be classes from 0 to 2"),
    ):
        with pytest.raises(ValueError, match=message):
            attack(tiny.make_classifier(), images, labels)


def test_settings(images):
    assert foreign(darker, name="darker") == DARKER
    assert dataclasses.replace(DARKER, name="x") != DARKER
    with pytest.raises(ValueError, match="`function` must be a function"):
        foreign(None, name="none")
    with pytest.raises(ValueError, match="`name` must be a text"):
        foreign(darker, name="")
