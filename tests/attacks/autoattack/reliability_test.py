"""Warnings where a verdict is not reliable, on models made for each."""

import warnings

import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.attacks import APGD, PGD
from ijsat_tf.attacks.autoattack import reliability
from ijsat_tf.spaces import Linf
from tests import tiny

WEIGHTS, LINEAR = tiny.make_linear()
ONE_HOT = np.eye(2, dtype="float32")[[0, 1, 0, 1, 0, 1]]


def told(call, *args, **named):
    """The warnings of a call."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call(*args, **named)
    return [str(each.message) for each in caught]


def told_of(model, images, randomized=False):
    images = tf.constant(images)
    return told(
        reliability.check_model, model, images, ONE_HOT, randomized=randomized
    )


def test_an_ordinary_model_has_no_warning(images):
    assert told_of(LINEAR, images) == []


def test_images_without_a_slope_are_counted(images):
    def flat(batch):
        """No slope at the first two images, and the right class."""
        same = tf.stack([tf.zeros(2), tf.range(2.0)], axis=1)
        return tf.concat([same, LINEAR(batch[2:])], axis=0)

    (message,) = told_of(flat, images)
    assert "gradient of the cross entropy is zero at 2 of 6 images" in message


def test_what_is_not_finite_is_no_masked_gradient(images):
    def broken(batch):
        return tf.where(tf.range(6)[:, None] < 2, np.nan, LINEAR(batch))

    assert told_of(broken, images) == []


def test_probabilities_are_seen(images):
    (message,) = told_of(lambda batch: tf.nn.softmax(LINEAR(batch)), images)
    assert "look like probabilities" in message


def test_a_randomised_model_is_seen_whatever_the_scale(images):
    for scale in (1e-6, 1.0, 1e6):

        def noisy(batch, scale=scale):
            logits = LINEAR(batch)
            noise = tf.random.normal(tf.shape(logits), stddev=0.1)
            return scale * (logits + noise)

        assert "Two evaluations" in told_of(noisy, images)[-1]
        messages = told_of(noisy, images, randomized=True)
        assert not any("Two evaluations" in each for each in messages)


def test_rounding_errors_are_no_difference():
    draws = np.random.default_rng(0)
    for scale in (1e-6, 1.0, 1e6):
        logits = (scale * draws.normal(size=(50, 10))).astype("float32")
        off = draws.uniform(-1, 1, logits.shape).astype("float32")
        assert not reliability.differ(logits, logits * (1 + 1e-6 * off))
        assert reliability.differ(logits, logits * (1 + 1e-2 * off))


def test_outputs_that_are_not_finite_are_counted():
    assert told(reliability.check_finite, np.ones(5, bool)) == []
    (message,) = told(reliability.check_finite, np.arange(5) > 2)
    assert "not finite at 3 of 5 images" in message


def test_attacks_stay_where_there_are_classes_enough():
    attacks = {
        "ce": APGD(Linf(0.1)),
        "dlr": APGD(Linf(0.1), "dlr"),
        "t": APGD(Linf(0.1), "targeted"),
        "pgd": PGD(Linf(0.1)),
    }
    left = {2: ["ce", "pgd"], 3: ["ce", "dlr", "pgd"], 4: list(attacks)}
    for classes, names in left.items():
        kept = {}
        messages = told(
            lambda classes=classes, kept=kept: kept.update(
                reliability.with_enough_classes(attacks, classes)
            )
        )
        assert kept == {name: attacks[name] for name in names}
        gone = [name for name in attacks if name not in names]
        assert len(messages) == len(gone)
        for name, message in zip(gone, messages):
            assert f"The stage {name} is left out" in message
            assert message.endswith(f"the model has {classes}.")


def alive(**counts):
    """Standings of 1000 samples, of which so many are alive."""
    return {name: np.arange(1000) < count for name, count in counts.items()}


@pytest.mark.parametrize(
    "standings, points",
    [
        ({"clean": 900, "fab": 500, "square": 450}, "5.0"),
        ({"clean": 900, "fab": 500, "square": 497}, "0.3"),
        ({"clean": 900, "fab": 500, "square": 499}, None),
        ({"clean": 900, "fab": 500, "square": 500}, None),
        ({"clean": 900, "fab": 500, "square": 490, "t": 100}, "1.0"),
        # Nothing with gradients was before it.
        ({"clean": 900, "square": 450}, None),
        ({"clean": 900, "square": 450, "fab": 400}, None),
        ({"clean": 900, "fab": 500, "t": 100}, None),
    ],
)
def test_square_must_not_find_much_more_than_gradients(standings, points):
    messages = told(reliability.check_square, alive(**standings))
    assert len(messages) == (points is not None)
    for message in messages:
        assert f"lowered the robust accuracy by {points} points" in message
