"""The Frank-Wolfe method in an L1 ball cut by a box, for tensor lists."""

from __future__ import annotations

import tensorflow as tf

from ijsat_tf.rows import joined, parted


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

    Returns:
        The next change c, in the shapes of `change`.
    """
    here, slope = joined(change), joined(gradient)
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
    return parted(moved, change)
