"""Margins: how far one logit leads another, and losses made of them."""

from __future__ import annotations

import tensorflow as tf

# As in the official code, for samples whose largest logits are equal.
_TINY = 1e-12


def margin(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """How far the label's logit leads, z_y - max_{j != y} z_j.

    Args:
        labels: (B, K) one-hot.
        logits: (B, K).

    Returns:
        (B,), negative where another class wins.
    """
    true = labels > 0.5
    own = tf.reduce_sum(tf.where(true, logits, 0.0), axis=-1)
    others = tf.where(true, logits.dtype.min, logits)
    return own - tf.reduce_max(others, axis=-1)


def difference_of_logits_ratio(
    labels: tf.Tensor, logits: tf.Tensor
) -> tf.Tensor:
    """DLR: -(z_y - max_{j != y} z_j) / (z_(1) - z_(3)) (Eq. 6 there).

    z_(k) is the k-th largest logit. Unlike the cross entropy it changes with
    neither shift nor scale of the logits, so that it does not vanish where a
    model is too sure.

    Args:
        labels: (B, K) one-hot, K at least 3.
        logits: (B, K).

    Returns:
        (B,), positive where another class wins.

    Source: Croce & Hein, Reliable Evaluation of Adversarial Robustness with
    an Ensemble of Diverse Parameter-free Attacks, 2020.
    """
    largest = tf.math.top_k(logits, 3).values
    scale = largest[:, 0] - largest[:, 2] + _TINY
    return -margin(labels, logits) / scale


def targeted_difference_of_logits_ratio(
    labels: tf.Tensor, logits: tf.Tensor, targets: tf.Tensor
) -> tf.Tensor:
    """-(z_y - z_t) / (z_(1) - (z_(3) + z_(4)) / 2) (Eq. 7 there).

    Args:
        labels: (B, K) one-hot, K at least 4.
        logits: (B, K).
        targets: (B, K) one-hot, the classes t.

    Returns:
        (B,), positive where t is ahead of y.

    Source: as above.
    """
    largest = tf.math.top_k(logits, 4).values
    scale = largest[:, 0] - (largest[:, 2] + largest[:, 3]) / 2 + _TINY
    return (_own(targets, logits) - _own(labels, logits)) / scale


def ranked_targets(
    labels: tf.Tensor, logits: tf.Tensor, count: int
) -> tf.Tensor:
    """The `count` classes of the largest logits but the label's, (B, count).

    Args:
        labels: (B, K) one-hot.
        logits: (B, K).
        count: at most K - 1.
    """
    others = tf.where(labels > 0.5, logits.dtype.min, logits)
    return tf.math.top_k(others, count).indices


def _own(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.where(labels > 0.5, logits, 0.0), axis=-1)
