"""The Frank-Wolfe method in an L1 ball cut by a box, for tensor lists."""

from __future__ import annotations

import tensorflow as tf

from ijsat_tf import seeds


def start(
    like: list[tf.Tensor], radius: float, seed: tf.Tensor
) -> list[tf.Tensor]:
    """A uniformly random point of the L1 ball.

    The absolute coordinates are exponential random numbers, divided by the sum
    of these numbers and one further such number, times the radius. Source:
    Barthe et al., A Probabilistic Approach to the Geometry of the l_p^n-Ball,
    2005.

    Args:
        like: Tensors of the shapes wanted, batch first.
        radius: Radius of the L1 ball.
        seed: Random seed, (2,) int32.
    """
    flat = _flat(like)
    draws = seeds.uniform(flat, seeds.derive(seed, "signed"))
    more = seeds.uniform(flat[:, :1], seeds.derive(seed, "corner"))

    def exponential(uniform: tf.Tensor) -> tf.Tensor:
        return -tf.math.log(1 - tf.minimum(tf.abs(uniform), 1 - 1e-7))

    lengths = exponential(draws)
    total = tf.reduce_sum(lengths, 1, keepdims=True) + exponential(more)
    return _parts(radius * tf.sign(draws) * lengths / total, like)


def update(
    change: list[tf.Tensor],
    gradient: list[tf.Tensor],
    radius: float,
    bound: float,
    iteration: tf.Tensor,
    from_change: bool = False,
) -> list[tf.Tensor]:
    """One update of Frank-Wolfe, c + (s - c) / (iteration + 1).

    s maximises <gradient, s> over |s|_1 <= radius, |s_i| <= bound: the
    coordinates of the largest slopes go to their bound until the radius is
    used up.

    Args:
        change: Change c, a list of tensors, batch first.
        gradient: Gradient, in the shapes of `change`.
        radius: Radius of the L1 ball.
        bound: Bound of each coordinate.
        iteration: Number of the update, 0 for the first.
        from_change: Whether the room of a coordinate up to its bound is
            measured from c rather than from 0, default False.
    """
    here, slope = _flat(change), _flat(gradient)
    room = tf.fill(tf.shape(here), tf.cast(bound, here.dtype))
    if from_change:
        room -= tf.where(slope > 0, here, -here)
    order = tf.argsort(tf.abs(slope), direction="DESCENDING")
    room = tf.gather(room, order, batch_dims=1)
    left = radius - tf.cumsum(room, axis=1, exclusive=True)
    used = tf.where(left >= 0, tf.minimum(left, room), 0)
    used = tf.gather(used, tf.argsort(order), batch_dims=1)
    weight = 1 / tf.cast(iteration + 1, here.dtype)
    moved = here + weight * (tf.sign(slope) * used - here)
    return _parts(moved, change)


def norm(change: list[tf.Tensor]) -> tf.Tensor:
    """The L1 norm |c|_1 of each sample, (B,)."""
    return tf.reduce_sum(tf.abs(_flat(change)), axis=1)


def _flat(parts: list[tf.Tensor]) -> tf.Tensor:
    rows = [
        tf.reshape(part, [-1, part.shape[1:].num_elements()]) for part in parts
    ]
    return tf.concat(rows, axis=1)


def _parts(flat: tf.Tensor, like: list[tf.Tensor]) -> list[tf.Tensor]:
    lengths = [part.shape[1:].num_elements() for part in like]
    return [
        tf.reshape(rows, [-1, *part.shape[1:]])
        for rows, part in zip(tf.split(flat, lengths, axis=1), like)
    ]
