"""What counts as a success, and which of two results is the better one."""

from __future__ import annotations

import tensorflow as tf

from ijsat_tf.attacks.attack import AttackResult


def succeeds(
    logits: tf.Tensor, labels: tf.Tensor, targeted: bool = False
) -> tf.Tensor:
    """Whether the model's class is another than the label's, (B,).

    Outputs that are not finite are no class at all.

    Args:
        logits: (B, K).
        labels: (B, K) probabilities, of which the heaviest counts.
        targeted: whether the label's class is what is wanted, default False.
    """
    same = tf.argmax(logits, axis=-1) == tf.argmax(labels, axis=-1)
    same &= tf.reduce_all(tf.math.is_finite(logits), axis=-1)
    return same if targeted else ~same


def better(
    found: AttackResult, best: AttackResult, targeted: bool = False
) -> tf.Tensor:
    """Where `found` succeeds and `best` does not, or both or none do and its
    loss is higher (lower, if targeted), (B,)."""
    gain = found.loss - best.loss
    gain = -gain if targeted else gain
    return tf.where(found.success == best.success, gain > 0, found.success)
