"""Checks and the result of attacks on hard labels (APGD, FAB, Square)."""

from __future__ import annotations

import tensorflow as tf

from ijsat_tf import checks, losses
from ijsat_tf.attacks.attack import AttackResult
from ijsat_tf.attacks.outcome import succeeds
from ijsat_tf.rows import pick
from ijsat_tf.spaces import Ball, Pixels
from ijsat_tf.types import LogitsFn


def require_hard(labels: tf.Tensor, what: str) -> tf.Tensor:
    """Checks that labels are hard, and returns them as exact one-hot rows.

    Args:
        labels: Probabilities of the classes, (B, K).
        what: Name of the attack in the message.

    Raises:
        ValueError: for soft labels, which have no single true class, and for
            a model of a single class.
    """
    classes = labels.shape[-1]
    checks.require(
        classes >= 2,
        f"{what} needs a model of 2 classes or more; for a model with a "
        "single output use ijsat_tf.models.logits(model).",
        classes,
    )
    heaviest = tf.reduce_max(labels, axis=1)
    checked = checks.require(
        tf.reduce_all(heaviest > 0.999),
        f"{what} needs hard labels, one class per sample; use PGD for soft "
        "labels. The number is the smallest weight of a label's class.",
        tf.reduce_min(heaviest),
    )
    hard = tf.one_hot(tf.argmax(labels, axis=1), classes, dtype=labels.dtype)
    return checks.after(checked, hard)


def verdict(
    logits_of: LogitsFn,
    ball: Ball,
    images: tf.Tensor,
    labels: tf.Tensor,
    candidates: tf.Tensor,
) -> AttackResult:
    """The result of a search: misclassified candidates, else clean images.

    Args:
        logits_of: Function from images to logits (B, K).
        ball: Ball in which the candidates lie.
        images: Clean images (B, H, W, C).
        labels: One-hot labels (B, K).
        candidates: Images that the search found, (B, H, W, C).
    """
    clean, logits = logits_of(images), logits_of(candidates)
    take = succeeds(logits, labels)
    logits = tf.where(take[:, None], logits, clean)
    found = pick(take, candidates, images)
    success = succeeds(logits, labels)
    return AttackResult(
        found,
        success,
        losses.cross_entropy(labels, logits),
        Pixels(ball).measure(found - images),
        tf.zeros_like(success),
    )
