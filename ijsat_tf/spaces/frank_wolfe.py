"""Frank-Wolfe in an L1 ball cut by a box, for a list of tensors."""

from __future__ import annotations

import tensorflow as tf

from ijsat_tf import seeds


def start(
    like: list[tf.Tensor], radius: float, seed: tf.Tensor
) -> list[tf.Tensor]:
    """A uniformly random point of the L1 ball.

    The length of exponential numbers is that of a point of the simplex with
    one corner more. Source: Barthe et al., A Probabilistic Approach to the
    Geometry of the l_p^n-Ball, 2005.

    Args:
        like: tensors, batch first, of the shapes wanted.
        radius: of the ball.
        seed: (2,) int32.
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
    """c + (s - c) / (iteration + 1), s the farthest along the gradient.

    s maximises <gradient, s> over |s|_1 <= radius, |s_i| <= bound: the
    coordinates of the largest slopes go to their bound until the radius is
    used up.

    Args:
        change: c, tensors, batch first.
        gradient: as `change` is shaped.
        radius: of the L1 ball.
        bound: of each coordinate.
        iteration: 0 for the first update.
        from_change: whether a coordinate's room is measured from c rather
            than from 0, default False.
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
    """|c|_1 of each sample, (B,)."""
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
