"""Checks and the result of attacks on hard labels."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from ijsat_tf import checks, losses
from ijsat_tf.attacks.attack import AttackResult
from ijsat_tf.attacks.outcome import succeeds
from ijsat_tf.rows import pick
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
    norm: Callable[[tf.Tensor], tf.Tensor],
    images: tf.Tensor,
    labels: tf.Tensor,
    candidates: tf.Tensor,
    targeted: bool = False,
) -> AttackResult:
    """The result of a search: successful candidates, else clean images.

    Args:
        logits_of: Function from images to logits (B, K).
        norm: Norm of the changes, from (B, H, W, C) to (B,).
        images: Clean images (B, H, W, C).
        labels: One-hot labels (B, K).
        candidates: Images that the search found, (B, H, W, C).
        targeted: Whether labels are target classes, default False.
    """
    clean, logits = logits_of(images), logits_of(candidates)
    take = succeeds(logits, labels, targeted)
    logits = tf.where(take[:, None], logits, clean)
    found = pick(take, candidates, images)
    success = succeeds(logits, labels, targeted)
    return AttackResult(
        found,
        success,
        losses.cross_entropy(labels, logits),
        {"pixels": norm(found - images)},
        tf.zeros_like(success),
    )
