"""Losses of margins against plain sums of Python, and at what has no margin."""

import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.attacks.autoattack import margins

LOGITS = tf.constant(np.random.default_rng(0).normal(size=(6, 5)), "float32")
CLASSES = np.array([0, 1, 2, 3, 4, np.argmax(LOGITS[5])])
LABELS = np.eye(5, dtype="float32")[CLASSES]
TARGETS = (CLASSES + 2) % 5


def test_difference_of_logits_ratio():
    expected = []
    for row, y in zip(LOGITS.numpy().tolist(), CLASSES):
        first, _, third, *_ = sorted(row, reverse=True)
        best_other = max(z for j, z in enumerate(row) if j != y)
        expected.append(-(row[y] - best_other) / (first - third))
    found = margins.difference_of_logits_ratio(LABELS, LOGITS)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_targeted_difference_of_logits_ratio():
    expected = []
    for row, y, t in zip(LOGITS.numpy().tolist(), CLASSES, TARGETS):
        first, _, third, fourth, _ = sorted(row, reverse=True)
        gap = first - 0.5 * (third + fourth)
        expected.append(-(row[y] - row[t]) / gap)
    found = margins.targeted_difference_of_logits_ratio(
        LABELS, LOGITS, np.eye(5, dtype="float32")[TARGETS]
    )
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize(
    "loss",
    [
        margins.difference_of_logits_ratio,
        lambda y, z: margins.targeted_difference_of_logits_ratio(
            y, z, np.eye(5, dtype="float32")[TARGETS]
        ),
    ],
)
def test_ratios_know_neither_shift_nor_scale(loss):
    np.testing.assert_allclose(
        loss(LABELS, 7 * LOGITS + 3), loss(LABELS, LOGITS), rtol=1e-4
    )


def test_targets_are_the_best_of_the_other_classes():
    targets = margins.ranked_targets(LABELS, LOGITS, 4)
    for row, y, found in zip(LOGITS.numpy(), CLASSES, targets.numpy()):
        order = [j for j in np.argsort(-row) if j != y]
        np.testing.assert_array_equal(found, order)


def test_gradients_are_finite_where_all_logits_are_equal():
    logits = tf.zeros([2, 5])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = margins.difference_of_logits_ratio(LABELS[:2], logits)
    assert np.all(loss == 0)
    assert not np.any(np.isnan(tape.gradient(loss, logits)))
