"""Losses of logits and soft labels, one number per sample."""

from __future__ import annotations

import tensorflow as tf

from ijsat_tf import seeds


def cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """The cross entropy of soft labels, `-sum_k y_k log softmax(f(x))_k`.

    With the labels of a mixture this is Eq. 6, since
    `a CE(y_i) + (1 - a) CE(y_j) = CE(a y_i + (1 - a) y_j)`.

    Args:
        labels: Labels (B, K), probabilities.
        logits: Logits (B, K).

    Returns:
        Cross entropies (B,), in nats.
    """
    log_probabilities = tf.nn.log_softmax(tf.cast(logits, tf.float32))
    return -tf.reduce_sum(labels * log_probabilities, axis=-1)


def margin(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """The lead of the label's logit, z_y - max_{j != y} z_j.

    Args:
        labels: Labels (B, K); of soft labels the heaviest class is y.
        logits: Logits (B, K).

    Returns:
        Margins (B,), negative where another class wins.
    """
    own = tf.one_hot(
        tf.argmax(labels, axis=-1), logits.shape[-1], True, False, dtype=bool
    )
    others = tf.where(own, logits.dtype.min, logits)
    return tf.reduce_sum(tf.where(own, logits, 0.0), axis=-1) - tf.reduce_max(
        others, axis=-1
    )


def kl_divergence(logits: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
    """The divergence KL(p || q), p = softmax(logits), q = softmax(others).

    Args:
        logits: Logits (B, K).
        others: Other logits (B, K).

    Returns:
        Divergences (B,), in nats; gradients flow into both arguments.
    """
    p = tf.nn.log_softmax(tf.cast(logits, tf.float32))
    q = tf.nn.log_softmax(tf.cast(others, tf.float32))
    return tf.reduce_sum(tf.exp(p) * (p - q), axis=-1)


def global_mean(losses: tf.Tensor) -> tf.Tensor:
    """This replica's share of the mean over the global batch.

    Keras sums gradients over replicas, so each replica divides the sum of its
    losses by the size of the global batch.
    """
    rows = tf.cast(tf.shape(losses)[0] * seeds.replicas(), losses.dtype)
    return tf.reduce_sum(losses) / rows
