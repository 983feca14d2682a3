"""What counts as a success, and which of two results is the better one."""

from __future__ import annotations

import tensorflow as tf

from ijsat_tf.attacks.attack import AttackResult


def succeeds(
    logits: tf.Tensor, labels: tf.Tensor, targeted: bool = False
) -> tf.Tensor:
    """Whether the classes of logits (B, K) are other ones than those of
    labels (B, K), or for a targeted attack the same, (B,)."""
    same = tf.argmax(logits, axis=-1) == tf.argmax(labels, axis=-1)
    return same if targeted else ~same


def better(
    found: AttackResult, best: AttackResult, targeted: bool = False
) -> tf.Tensor:
    """Where `found` succeeds and `best` does not, or both or none do and its
    loss is higher (lower, if targeted), (B,)."""
    gain = found.loss - best.loss
    gain = -gain if targeted else gain
    return tf.where(found.success == best.success, gain > 0, found.success)


def pick(
    take: tf.Tensor, found: AttackResult, best: AttackResult
) -> AttackResult:
    """Per sample `found` where `take` (B,) holds, else `best`."""

    def choose(new: tf.Tensor, old: tf.Tensor) -> tf.Tensor:
        shape = [-1] + [1] * (new.shape.rank - 1)
        return tf.where(tf.reshape(take, shape), new, old)

    return tf.nest.map_structure(choose, found, best)
