"""Selection and replacement of rows, for tensors with one row per sample."""

from __future__ import annotations

import tensorflow as tf

from ijsat_tf.types import Tensors


def each(numbers: tf.Tensor, like: tf.Tensor | None = None) -> tf.Tensor:
    """Reshapes one number per sample, (B,), to broadcast with (B, ...).

    Args:
        numbers: Numbers (B,).
        like: Tensor of the rank to broadcast with; None, the default, stands
            for images, of rank 4.
    """
    rank = 4 if like is None else len(like.shape)
    return tf.reshape(numbers, [-1] + [1] * (rank - 1))


def pick(which: tf.Tensor, ones: Tensors, others: Tensors) -> Tensors:
    """The rows of `ones` where `which` (B,) is True, else rows of `others`."""
    # The new `tf.where` broadcasts, and takes several times as long.
    return tf.nest.map_structure(
        lambda one, other: tf.compat.v1.where(which, one, other), ones, others
    )


def take(tensors: Tensors, rows: tf.Tensor) -> Tensors:
    """Returns the given rows of each tensor."""
    return tf.nest.map_structure(lambda part: tf.gather(part, rows), tensors)


def put(tensors: Tensors, rows: tf.Tensor, new: Tensors) -> Tensors:
    """Returns `tensors` with the given rows replaced by `new`."""
    return tf.nest.map_structure(
        lambda old, part: tf.tensor_scatter_nd_update(old, rows[:, None], part),
        tensors,
        new,
    )
