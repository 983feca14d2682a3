"""Losses against NumPy in float64."""

import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf import losses
from tests import tiny

RANDOM = np.random.default_rng(0)
LOGITS = RANDOM.normal(scale=3, size=(5, 4))
LABELS = RANDOM.dirichlet(np.ones(4), size=5)


def _cross_entropy(labels, logits):
    logits = logits.astype("float64")
    top = logits.max(-1, keepdims=True)
    norm = top + np.log(np.exp(logits - top).sum(-1, keepdims=True))
    return -(labels * (logits - norm)).sum(-1)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_cross_entropy(dtype):
    logits = tf.cast(LOGITS, dtype)
    got = losses.cross_entropy(tf.cast(LABELS, tf.float32), logits)
    assert got.dtype == tf.float32
    expected = _cross_entropy(LABELS, tf.cast(logits, tf.float64).numpy())
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_cross_entropy_of_far_logits_is_finite():
    logits = tf.constant([[1e4, -1e4], [-1e4, 1e4]])
    labels = tf.constant([[1.0, 0.0], [1.0, 0.0]])
    np.testing.assert_allclose(
        losses.cross_entropy(labels, logits), [0, 2e4], rtol=1e-6
    )


def test_a_mixture_has_the_mixture_of_the_losses():
    first, second, alpha = LABELS, LABELS[::-1], 0.3
    mixed = losses.cross_entropy(
        tf.cast(alpha * first + (1 - alpha) * second, tf.float32), LOGITS
    )
    expected = alpha * _cross_entropy(first, LOGITS)
    expected += (1 - alpha) * _cross_entropy(second, LOGITS)
    np.testing.assert_allclose(mixed, expected, rtol=1e-5)


def test_margin_is_of_the_heaviest_class():
    classes = LABELS.argmax(-1)
    expected = [
        row[y] - max(z for j, z in enumerate(row) if j != y)
        for row, y in zip(LOGITS, classes)
    ]
    found = losses.margin(LABELS, tf.constant(LOGITS))
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_array_equal(found > 0, LOGITS.argmax(-1) == classes)


def test_global_mean_is_the_mean_on_one_replica():
    values = RANDOM.normal(size=7).astype("float32")
    got = losses.global_mean(tf.constant(values))
    np.testing.assert_allclose(got, values.mean(), rtol=1e-6)


def test_shares_of_two_replicas_add_up_to_the_global_mean():
    strategy = tiny.two_replicas()
    values = RANDOM.normal(size=(2, 3)).astype("float32")

    @tf.function
    def shares():
        def share():
            context = tf.distribute.get_replica_context()
            rows = tf.gather(values, context.replica_id_in_sync_group)
            return losses.global_mean(rows)

        return strategy.reduce("SUM", strategy.run(share), axis=None)

    np.testing.assert_allclose(shares(), values.mean(), rtol=1e-6)
