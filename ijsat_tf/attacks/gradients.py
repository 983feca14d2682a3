"""Gradients for attacks, with a warning where a model has no gradient."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from ijsat_tf import checks
from ijsat_tf.types import LogitsFn


def of_images(
    logits_of: LogitsFn,
    images: tf.Tensor,
    objective: Callable[[tf.Tensor], tf.Tensor],
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """The gradient of an objective, scaled for each sample by itself.

    Steepest steps follow the direction of the gradient and ignore its length.
    So the derivative by the logits is divided by its largest magnitude before
    the network's backward pass: in float16 the gradient of a confident sample
    would otherwise be 0.

    Args:
        logits_of: Function from images to logits (B, K).
        images: Images (B, H, W, C) in [0, 1].
        objective: Function from logits to one number per sample, (B,).

    Returns:
        The gradient (B, H, W, C), which is 0 where it is not finite; the
        objective (B,); and the logits (B, K).
    """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(images)
        logits = logits_of(images)
    with tf.GradientTape(watch_accessed_variables=False) as head:
        head.watch(logits)
        values = objective(logits)
    slope = head.gradient(values, logits)
    largest = tf.reduce_max(tf.abs(slope), axis=-1, keepdims=True)
    slope /= tf.where(largest > 0, largest, tf.ones_like(largest))
    return by_images(tape, logits, images, slope, logits_of), values, logits


def by_images(
    tape: tf.GradientTape,
    target: tf.Tensor,
    images: tf.Tensor,
    slope: tf.Tensor | None = None,
    logits_of: LogitsFn | None = None,
) -> tf.Tensor:
    """The gradient by images: finite, and 0 with a warning where undefined.

    Args:
        tape: Tape that watched the images.
        target: Tensor to differentiate.
        images: Images (B, H, W, C).
        slope: Derivative by the target; None, the default, stands for 1.
        logits_of: Function whose model the warning names, default None.
    """
    try:
        gradient = tape.gradient(target, images, slope)
    except LookupError:
        # The operation has no gradient registered at all, not even None.
        gradient = None
    if gradient is not None:
        return finite(gradient)
    name = getattr(getattr(logits_of, "model", None), "name", None)
    checks.warn(
        f"The network{f' {name!r}' if name else ''} has no gradient by its "
        "images, so attacks that follow gradients do not change the images, "
        "and their result is not a measure of robustness. Use "
        "ijsat_tf.attacks.Square, which needs no gradients."
    )
    return tf.zeros_like(images)


def finite(gradient: tf.Tensor) -> tf.Tensor:
    """The gradient, with 0 where it is not finite."""

    def replaced() -> tf.Tensor:
        # Where shapes agree, the old `tf.where` is several times as fast.
        return tf.compat.v1.where(
            tf.math.is_finite(gradient), gradient, tf.zeros_like(gradient)
        )

    # An image of NaN would count as adversarial. The sum is cheap, while a
    # pass that replaces numbers is not.
    return tf.cond(
        tf.math.is_finite(tf.reduce_sum(gradient)), lambda: gradient, replaced
    )
