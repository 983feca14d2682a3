"""Losses made of margins between logits."""

from __future__ import annotations

import tensorflow as tf

from ijsat_tf import losses

# Added to denominators, as in the official code: the largest logits of a
# sample may be equal.
_TINY = 1e-12


def difference_of_logits_ratio(
    labels: tf.Tensor, logits: tf.Tensor
) -> tf.Tensor:
    """DLR: -(z_y - max_{j != y} z_j) / (z_(1) - z_(3)) (Eq. 6 of the source).

    z_(k) is the k-th largest logit. Unlike the cross entropy, the ratio does
    not change when the logits are shifted or scaled, so that its gradient does
    not vanish where a model is too confident.

    Args:
        labels: One-hot labels (B, K), K at least 3.
        logits: Logits (B, K).

    Returns:
        Loss (B,), positive where another class wins.

    Source: Croce & Hein, Reliable Evaluation of Adversarial Robustness with
    an Ensemble of Diverse Parameter-free Attacks, 2020.
    """
    largest = tf.math.top_k(logits, 3).values
    scale = largest[:, 0] - largest[:, 2] + _TINY
    return -losses.margin(labels, logits) / scale


def targeted_difference_of_logits_ratio(
    labels: tf.Tensor, logits: tf.Tensor, targets: tf.Tensor
) -> tf.Tensor:
    """Targeted DLR: -(z_y - z_t) / (z_(1) - (z_(3) + z_(4)) / 2) (Eq. 7).

    Args:
        labels: One-hot labels (B, K), K at least 4.
        logits: Logits (B, K).
        targets: One-hot target classes t, (B, K).

    Returns:
        Loss (B,), positive where t is ahead of y.

    Source: the paper of `difference_of_logits_ratio`.
    """
    largest = tf.math.top_k(logits, 4).values
    scale = largest[:, 0] - (largest[:, 2] + largest[:, 3]) / 2 + _TINY
    return (_own(targets, logits) - _own(labels, logits)) / scale


def ranked_targets(
    labels: tf.Tensor, logits: tf.Tensor, count: int
) -> tf.Tensor:
    """The `count` other classes of the largest logits, (B, count).

    Args:
        labels: One-hot labels (B, K).
        logits: Logits (B, K).
        count: Number of classes, at most K - 1.
    """
    others = tf.where(labels > 0.5, logits.dtype.min, logits)
    return tf.math.top_k(others, count).indices


def _own(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.where(labels > 0.5, logits, 0.0), axis=-1)
