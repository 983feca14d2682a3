"""The shortest change onto a hyperplane that stays inside the box [0, 1].

For a point x, a normal w and an excess c >= 0, the change d of least norm with
w . d = -c and 0 <= x + d <= 1 moves each coordinate against its w_i until the
coordinate reaches the border of the box,

    d_i = -sign(w_i) min(t s_i, r_i),    r_i = x_i if w_i > 0 else 1 - x_i,

at speed s_i = 1 for the Linf norm and |w_i| for the L2 norm. The time t solves

    sum_i |w_i| min(t s_i, r_i) = c,

whose left side is concave and piecewise linear. Newton's method from the left
never passes the solution, and has found the solution when no further coordinate
reaches the border. A few passes suffice, and cost far less than sorting the
r_i / s_i.
"""

from __future__ import annotations

import tensorflow as tf

from ijsat_tf.rows import each, pick
from ijsat_tf.spaces import Ball, Linf


class Hyperplane:
    """Hyperplanes with one normal per sample, reached from several points.

    Args:
        ball: Ball, `Linf` or `L2`, whose norm measures changes; the ball's
            radius is not used.
        normal: Normal w, (B, ...); a sample whose w is not finite is not
            moved.

    Source: Croce & Hein, Minimally distorted Adversarial Examples with a
    Fast Adaptive Boundary Attack, 2020, section 2.2, by another algorithm.
    """

    def __init__(self, ball: Ball, normal: tf.Tensor):
        self.linf = isinstance(ball, Linf)
        self.axes = list(range(1, normal.shape.rank))
        self.normal = finite_or_zero(normal)
        self.weight = tf.abs(self.normal)
        self.rate = self.weight if self.linf else tf.square(self.weight)
        self.full_rate = self._sum(self.rate)

    def shift(self, points: tf.Tensor, excess: tf.Tensor) -> tf.Tensor:
        """The change d of least norm with w . d = -excess.

        Args:
            points: Points x, (B, ...) in [0, 1].
            excess: Excess c, (B,), of either sign.

        Returns:
            The change d, (B, ...), with points + d in [0, 1]. Where the box
            does not reach the hyperplane, d leads to the corner of the box
            nearest to the hyperplane.
        """
        # Products with masks, since TensorFlow's `where` takes several times
        # as long.
        toward = tf.cast(excess >= 0, points.dtype) * 2 - 1
        normal = self.normal * each(toward, points)
        excess = each(tf.abs(excess), points)
        room = tf.abs(tf.cast(normal < 0, points.dtype) - points)
        reach = self.weight * room
        stop = room if self.linf else room / tf.maximum(self.weight, _TINY)

        def newton(time: tf.Tensor, _) -> tuple[tf.Tensor, tf.Tensor]:
            stopped = tf.cast(stop <= time, points.dtype)
            rate = self._sum(self.rate * (1 - stopped))
            later = _ratio(excess - self._sum(reach * stopped), rate)
            later = tf.where(rate > 0, tf.maximum(time, later), time)
            return later, tf.reduce_any(later > time)

        time, _ = tf.while_loop(
            lambda time, moved: moved,
            newton,
            (_ratio(excess, self.full_rate), True),
            parallel_iterations=1,
        )
        moved = tf.minimum(time if self.linf else time * self.weight, room)
        return -tf.sign(normal) * moved

    def _sum(self, terms: tf.Tensor) -> tf.Tensor:
        return each(tf.reduce_sum(terms, self.axes), terms)


def finite_or_zero(normal: tf.Tensor) -> tf.Tensor:
    """Normals (B, ...), or zeros for a sample whose length is not finite."""
    axes = list(range(1, normal.shape.rank))
    finite = tf.math.is_finite(tf.reduce_sum(tf.square(normal), axes))
    return pick(finite, normal, tf.zeros_like(normal))


_TINY = 1e-30


def _ratio(distance: tf.Tensor, rate: tf.Tensor) -> tf.Tensor:
    return tf.minimum(distance / tf.maximum(rate, _TINY), 1 / _TINY)
