"""Losses that attacks of the decision take from the logits."""

from __future__ import annotations

import tensorflow as tf


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
