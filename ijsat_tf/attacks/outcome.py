"""The definition of a successful attack, and of the better of two results."""

from __future__ import annotations

import tensorflow as tf

from ijsat_tf.attacks.attack import AttackResult


def succeeds(
    logits: tf.Tensor, labels: tf.Tensor, targeted: bool = False
) -> tf.Tensor:
    """Whether the model's class differs from the label's, (B,).

    Outputs that are not finite count as a class that differs from every label.

    Args:
        logits: Logits (B, K).
        labels: Probabilities (B, K), of which the largest gives the class.
        targeted: Whether labels are target classes, so that the same class is
            a success; default False.
    """
    same = tf.argmax(logits, axis=-1) == tf.argmax(labels, axis=-1)
    same &= tf.reduce_all(tf.math.is_finite(logits), axis=-1)
    return same if targeted else ~same


def better(
    found: AttackResult, best: AttackResult, targeted: bool = False
) -> tf.Tensor:
    """Whether `found` is better than `best` for each sample, (B,).

    `found` is better where `found` alone succeeds. Where both or neither
    succeed, `found` is better if its loss is higher (lower, if targeted).

    Args:
        found: Result to compare.
        best: Best result so far.
        targeted: Whether labels are target classes, default False.
    """
    gain = found.loss - best.loss
    gain = -gain if targeted else gain
    return tf.where(found.success == best.success, gain > 0, found.success)
