"""Rows of tensors with one row per sample: choosing, replacing, joining."""

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


def joined(tensors: Tensors) -> tf.Tensor:
    """All numbers of each sample as one vector, (B, N)."""
    return tf.concat(
        [
            tf.reshape(part, tf.stack([-1, _size(part)]))
            for part in tf.nest.flatten(tensors)
        ],
        axis=1,
    )


def parted(vectors: tf.Tensor, like: Tensors) -> Tensors:
    """The inverse of `joined`: vectors (B, N) in the shapes of `like`."""
    parts = tf.nest.flatten(like)
    pieces = tf.split(vectors, [_size(part) for part in parts], axis=1)
    shaped = [
        tf.ensure_shape(tf.reshape(piece, tf.shape(part)), part.shape)
        for piece, part in zip(pieces, parts)
    ]
    return tf.nest.pack_sequence_as(like, shaped)


def _size(part: tf.Tensor) -> tf.Tensor:
    return tf.reduce_prod(tf.shape(part)[1:])
