"""The shortest change, in the L1 norm, onto a hyperplane inside [0, 1].

For a point x, a normal w and an excess c >= 0, the change d of least |d|_1 with
w . d = -c and 0 <= x + d <= 1 moves one coordinate after another, in the order
of falling |w_i|, until the excess is used up:

    d_i = -sign(w_i) min(max(c - sum_j |w_j| r_j, 0) / |w_i|, r_i),

where j runs over the coordinates before i, and r_i = x_i if w_i > 0, else
1 - x_i, is the way to the border of the box.
"""

from __future__ import annotations

import tensorflow as tf

from ijsat_tf.attacks.autoattack.hyperplane import finite_or_zero
from ijsat_tf.rows import joined, parted
from ijsat_tf.spaces import Ball

_TINY = 1e-30


class L1Hyperplane:
    """Hyperplanes with one normal per sample, as in `Hyperplane`.

    Args:
        ball: Ball `L1`, whose norm measures changes; the ball's radius is not
            used.
        normal: Normal w, (B, ...); a sample whose w is not finite is not
            moved.

    Source: Croce & Hein, Minimally distorted Adversarial Examples with a
    Fast Adaptive Boundary Attack, 2020, section 2.2.
    """

    def __init__(self, ball: Ball, normal: tf.Tensor):
        self.normal = finite_or_zero(joined(normal))
        self.weight = tf.abs(self.normal)
        self.order = tf.argsort(self.weight, direction="DESCENDING")
        self.place = tf.argsort(self.order)

    def shift(self, points: tf.Tensor, excess: tf.Tensor) -> tf.Tensor:
        """The change d of least |d|_1 with w . d = -excess.

        Args:
            points: Points x, (B, ...) in [0, 1].
            excess: Excess c, (B,), of either sign.

        Returns:
            The change d, (B, ...), with points + d in [0, 1]. Where the box
            does not reach the hyperplane, d leads to the corner of the box
            nearest to the hyperplane.
        """
        x = joined(points)
        normal = tf.where(excess[:, None] >= 0, self.normal, -self.normal)
        room = _in_order(tf.where(normal > 0, x, 1 - x), self.order)
        weight = _in_order(self.weight, self.order)
        spent = tf.cumsum(weight * room, axis=1, exclusive=True)
        left = tf.maximum(tf.abs(excess)[:, None] - spent, 0)
        moved = tf.minimum(left / tf.maximum(weight, _TINY), room)
        return parted(-tf.sign(normal) * _in_order(moved, self.place), points)


def _in_order(numbers: tf.Tensor, order: tf.Tensor) -> tf.Tensor:
    return tf.gather(numbers, order, batch_dims=1)
