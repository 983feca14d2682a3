"""Random numbers that belong to a sample's place in the global batch.

Every draw is a function of a seed alone. A draw is made for the global batch
and cut to the rows of a replica, so that two replicas get the numbers that one
replica would get. Seeds are derived from `optimizer.iterations`, so that a
resumed run equals a run that was never interrupted.
"""

from __future__ import annotations

import contextlib
import contextvars
import numbers
import zlib
from collections.abc import Iterator

import tensorflow as tf

from ijsat_tf import checks
from ijsat_tf.types import Seed

_ROWS: contextvars.ContextVar = contextvars.ContextVar("rows", default=None)


def derive(seed: Seed, *purposes: int | str | tf.Tensor) -> tf.Tensor:
    """Derives a stateless seed, (2,) int32, for a purpose.

    Args:
        seed: Random seed, an int or a tensor that is a scalar or has shape
            (2,).
        *purposes: Names or numbers (of a step, of a restart); different
            purposes give independent seeds.

    Raises:
        ValueError: for a seed that is not an integer, or does not fit into 32
            bits.
    """
    if not tf.is_tensor(seed):
        checks.require(
            isinstance(seed, numbers.Integral) and -(2**31) <= seed < 2**31,
            "`seed` must be an integer of 32 bits, such as 0, or a tensor of "
            "such integers.",
            repr(seed),
        )
        seed = int(seed)
    seed = tf.cast(seed, tf.int32)
    if seed.shape.rank == 0:
        seed = tf.stack([seed, 0])
    for purpose in purposes:
        if isinstance(purpose, str):
            purpose = zlib.crc32(purpose.encode()) & 0x7FFFFFFF
        data = tf.cast(purpose, tf.int32)
        seed = tf.random.experimental.stateless_fold_in(seed, data)
    return seed


def replicas() -> int:
    """The number of replicas that share this batch."""
    context = tf.distribute.get_replica_context()
    return 1 if context is None else context.num_replicas_in_sync


@contextlib.contextmanager
def rows_of(first: tf.Tensor, total: tf.Tensor) -> Iterator[None]:
    """A context in which draws are for rows of a larger batch.

    Within the context, the place of a row does not depend on the replica.

    Args:
        first: Place of the first row in the larger batch.
        total: Number of rows of the larger batch, which is the global batch.
    """
    token = _ROWS.set((first, total))
    try:
        yield
    finally:
        _ROWS.reset(token)


def place(batch: tf.Tensor | int) -> tuple[tf.Tensor | int, tf.Tensor | int]:
    """The place of the first row at hand, and the size of the global batch.

    Args:
        batch: Number of rows at hand: the rows of this replica or, within
            `rows_of`, a part of these rows.
    """
    # No `:=`, since AutoGraph fails on it if it converts the caller's code.
    part = _ROWS.get()
    if part is not None:
        return part
    count = replicas()
    if count == 1:
        return 0, batch
    context = tf.distribute.get_replica_context()
    return context.replica_id_in_sync_group * batch, batch * count


def of_this_replica(draw, batch: tf.Tensor | int) -> tf.Tensor:
    """Returns `draw(global batch size)`, cut to the rows at hand.

    Args:
        draw: Function from a number of rows to a tensor with that many rows.
        batch: Number of rows at hand, as `place` takes it.
    """
    first, total = place(batch)
    if total is batch:
        return draw(batch)
    return draw(total)[first : first + batch]


def uniform(like: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Uniform numbers in [-1, 1), of the shape and type of `like`."""
    shape = tf.shape(like)
    numbers = of_this_replica(
        lambda rows: tf.random.stateless_uniform(
            tf.concat([[rows], shape[1:]], 0), seed, -1.0, 1.0, like.dtype
        ),
        shape[0],
    )
    return tf.ensure_shape(numbers, like.shape)


def normal(like: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Standard normal numbers, of the shape and type of `like`."""
    shape = tf.shape(like)
    numbers = of_this_replica(
        lambda rows: tf.random.stateless_normal(
            tf.concat([[rows], shape[1:]], 0), seed, dtype=like.dtype
        ),
        shape[0],
    )
    return tf.ensure_shape(numbers, like.shape)
