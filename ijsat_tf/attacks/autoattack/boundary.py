"""The decision boundary of a model, linearised at an image."""

from __future__ import annotations

import tensorflow as tf

from ijsat_tf.attacks.gradients import by_images
from ijsat_tf.rows import pick
from ijsat_tf.spaces import L1, Ball, Linf
from ijsat_tf.types import LogitsFn


def nearest_boundary(
    logits_of: LogitsFn,
    ball: Ball,
    images: tf.Tensor,
    labels: tf.Tensor,
    others: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """The linear boundary f_c + w_c . (x' - x) = 0 of least distance from x.

    f_c = z_c - z_y, and w_c is the gradient of f_c. The distance is
    |f_c| / |w_c|_q, where q is the dual of the ball's norm. Gradients are
    taken one class at a time, so that memory does not grow with the number of
    classes.

    Args:
        logits_of: Function from images to logits (B, K).
        ball: Ball whose norm measures distances.
        images: Images x, (B, H, W, C).
        labels: One-hot labels (B, K).
        others: Other classes c to choose among, (B, T) ints.

    Returns:
        f (B,), which is 0 where it is not finite, and w (B, H, W, C).
    """
    several = others.shape[1] > 1
    with tf.GradientTape(
        persistent=several, watch_accessed_variables=False
    ) as tape:
        tape.watch(images)
        logits = logits_of(images)

    def toward(classes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        towards = tf.one_hot(classes, labels.shape[-1], dtype=labels.dtype)
        direction = towards - labels
        gap = tf.reduce_sum(direction * logits, axis=-1)
        gap = tf.where(tf.math.is_finite(gap), gap, 0)
        gap = tf.cast(gap, images.dtype)
        return gap, by_images(tape, logits, images, direction, logits_of)

    if not several:
        return toward(others[:, 0])

    def nearer(
        number: tf.Tensor, least: tf.Tensor, gap: tf.Tensor, normal: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        its_gap, its_normal = toward(others[:, number])
        distance = tf.abs(its_gap) / (dual_norm(ball, its_normal) + 1e-12)
        take = distance < least
        return (
            number + 1,
            tf.where(take, distance, least),
            tf.where(take, its_gap, gap),
            pick(take, its_normal, normal),
        )

    nothing = tf.zeros_like(images[:, 0, 0, 0])
    _, _, gap, normal = tf.while_loop(
        lambda number, *_: number < others.shape[1],
        nearer,
        (0, nothing + tf.float32.max, nothing, tf.zeros_like(images)),
        parallel_iterations=1,
    )
    return gap, normal


def dual_norm(ball: Ball, normal: tf.Tensor) -> tf.Tensor:
    """The dual |w|_q of the ball's norm, (B,): the largest w . d, |d| <= 1.

    Args:
        ball: Ball, `Linf`, `L2` or `L1`.
        normal: Normal w, (B, H, W, C).
    """
    axes = list(range(1, normal.shape.rank))
    if isinstance(ball, Linf):
        return tf.reduce_sum(tf.abs(normal), axis=axes)
    if isinstance(ball, L1):
        return tf.reduce_max(tf.abs(normal), axis=axes)
    return tf.sqrt(tf.reduce_sum(tf.square(normal), axis=axes))
