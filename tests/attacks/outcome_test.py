"""Successes, and the better of two results, against tables made by hand."""

import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.attacks import AttackResult, outcome

LABELS = np.eye(5, dtype="float32")


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_misclassified(odd):
    for place in range(5):
        logits = 10 * LABELS
        logits[:, place] = odd
        assert np.all(outcome.succeeds(logits, LABELS))
    assert not np.any(outcome.succeeds(10 * LABELS, LABELS))


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_reaches_no_target(odd):
    logits = 10 * LABELS
    assert np.all(outcome.succeeds(logits, LABELS, targeted=True))
    logits[:, 0] = odd
    assert not np.any(outcome.succeeds(logits, LABELS, targeted=True))


def test_the_largest_entries_give_the_classes():
    logits = np.float32([[1, 2, 0], [3, 2, 0], [-1, -2, -0.5], [0, 9, 8]])
    labels = np.float32(
        [[0.2, 0.5, 0.3], [0.1, 0.8, 0.1], [0, 0, 1], [0.3, 0.3, 0.4]]
    )
    expected = np.array([False, True, False, True])
    np.testing.assert_array_equal(outcome.succeeds(logits, labels), expected)
    np.testing.assert_array_equal(
        outcome.succeeds(logits, labels, targeted=True), ~expected
    )


def test_a_success_comes_before_the_loss():
    # found: success, loss; best: success, loss; better; better for a target.
    table = [
        (True, 1, False, 2, True, True),
        (True, 2, False, 1, True, True),
        (False, 1, True, 2, False, False),
        (False, 2, True, 1, False, False),
        (True, 2, True, 1, True, False),
        (True, 1, True, 2, False, True),
        (False, 2, False, 1, True, False),
        (False, 1, False, 2, False, True),
        (True, 1, True, 1, False, False),
        (False, 1, False, 1, False, False),
    ]
    columns = [tf.constant(column) for column in zip(*table)]
    found, best = (
        AttackResult(None, success, tf.cast(loss, tf.float32), {}, None)
        for success, loss in (columns[:2], columns[2:4])
    )
    for targeted, expected in enumerate(columns[4:]):
        np.testing.assert_array_equal(
            outcome.better(found, best, bool(targeted)), expected
        )
