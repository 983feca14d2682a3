"""Warnings where the verdict of an attack is not reliable.

Source: the flags of https://github.com/fra31/auto-attack; for their meaning,
Carlini et al., On Evaluating Adversarial Robustness, 2019.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from ijsat_tf import checks, losses
from ijsat_tf.attacks.attack import Attack
from ijsat_tf.models.as_logits import PROBABILITIES, seem_probabilities
from ijsat_tf.types import LogitsFn


def check_model(
    logits_of: LogitsFn,
    images: tf.Tensor,
    labels: tf.Tensor,
    randomized: bool,
) -> None:
    """Warns of properties of a model that make gradient attacks fail.

    Args:
        logits_of: Function from images to logits (B, K).
        images: Some clean images, (B, H, W, C).
        labels: One-hot labels (B, K).
        randomized: Whether the attack expects a randomised model.
    """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(images)
        logits = logits_of(images)
        loss = losses.cross_entropy(labels, logits)
    gradient = tape.gradient(
        loss, images, unconnected_gradients=tf.UnconnectedGradients.ZERO
    )
    slope = _sums(tf.abs(gradient))
    finite = tf.reduce_all(tf.math.is_finite(logits), axis=1)
    zero = np.sum((slope == 0) & finite)
    if zero:
        checks.warn(
            f"The gradient of the cross entropy is zero at {zero} of "
            f"{len(images)} images, so attacks with gradients cannot change "
            "these images. A softmax inside the model, or another operation, "
            "masks the gradient. Trust Square, and an attack made for this "
            "model."
        )
    if seem_probabilities(logits):
        checks.warn(PROBABILITIES)
    if not randomized and differ(logits, logits_of(images)):
        checks.warn(
            "Two evaluations of the model differ: it seems to be randomised. "
            "Use version='rand'."
        )


def check_finite(finite: np.ndarray) -> None:
    """Warns if the model's outputs are not finite at some samples.

    Args:
        finite: Whether the outputs at each sample are finite, (N,) bool.
    """
    if not finite.all():
        checks.warn(
            f"The model's outputs are not finite at {np.sum(~finite)} of "
            f"{len(finite)} images; these images count as not robust."
        )


def with_enough_classes(
    attacks: Mapping[str, Attack], classes: int
) -> dict[str, Attack]:
    """Keeps the attacks that a model has enough classes for.

    A warning names each attack that is left out.

    Args:
        attacks: Attacks by stage, {stage: attack}.
        classes: Number K of the model's classes.
    """
    kept = {}
    for name, attack in attacks.items():
        least = getattr(attack, "least_classes", 2)
        if classes >= least:
            kept[name] = attack
        else:
            checks.warn(
                f"The stage {name} is left out: its loss needs {least} "
                f"classes, and the model has {classes}."
            )
    return kept


def check_square(alive: Mapping[str, np.ndarray]) -> None:
    """Warns if Square succeeds where the attacks with gradients fail.

    Args:
        alive: Samples still classified correctly after each stage,
            {stage: (N,) bool}, in order, with "clean" first.
    """
    names = list(alive)
    if "square" not in names or len(names) < 3:
        return
    place = names.index("square")
    before, after = alive[names[place - 1]], alive["square"]
    gain = before.mean() - after.mean()
    if place > 1 and gain > 0.002:
        checks.warn(
            f"Square, which sees no gradients, lowered the robust accuracy by "
            f"{100 * gain:.1f} points: gradients may be masked. Try more "
            "queries and restarts, and an attack made for this model."
        )


def _sums(tensor: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.reshape(tensor, [tf.shape(tensor)[0], -1]), axis=1)


def differ(logits: tf.Tensor, again: tf.Tensor) -> bool:
    """Whether two evaluations differ by more than rounding errors.

    Args:
        logits: Logits (B, K) of some images.
        again: Logits (B, K) of the same images, evaluated again.
    """
    # Rounding errors on a GPU may differ too. Outputs have any scale, so they
    # are normalised.
    one, other = tf.nn.l2_normalize(logits, 1), tf.nn.l2_normalize(again, 1)
    return bool(tf.reduce_any(tf.norm(one - other, axis=1) > 1e-4))
