"""The L1 ball, searched by steps of few coordinates."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from ijsat_tf import checks, seeds
from ijsat_tf.rows import joined, parted
from ijsat_tf.spaces.balls import Ball, as_type
from ijsat_tf.types import Tensors, value

# The interval of the threshold shrinks by 2^24, the precision of float32.
_HALVINGS = 24
_TINY = 1e-37


@value
class L1(Ball):
    """The L1 ball |change|_1 <= radius; steps move the largest slopes.

    A step moves the k coordinates of the largest |g_i| equally far, by
    step * sign(g_i) / k. A pixel that its slope pushes out of [0, 1] counts as
    a slope of 0. A list of tensors has one norm, over the numbers of all its
    tensors. The random start is uniform in the ball.

    The nearest change in the ball, with room r_i in each direction, is

        sign(c_i) min(max(|c_i| - t, 0), r_i),

    with the least t >= 0 for which the radius suffices. The room is unlimited
    in `project`, and ends at the borders of [0, 1] in `project_within`.

    Args:
        radius: Radius in the unit of the change ([0, 1] for pixels), summed
            over pixels and channels, e.g. 12 for CIFAR-10; 0 is allowed.
        step: Length of a step; None, the default, stands for
            2.5 * radius / steps.
        share: Share of the coordinates that a step moves, default 0.01; 0
            stands for the single largest slope, the steepest step of all.

    Raises:
        ValueError: for a radius, a step or a share out of range.

    Source: Tramer and Boneh, Adversarial Training and Robustness for Multiple
    Perturbations, 2019 (the step); Duchi et al., Efficient Projections onto
    the l1-Ball, 2008, and Croce and Hein, Mind the Box: l1-APGD for Sparse
    Adversarial Attacks on Image Classifiers, 2021 (the projections); Barthe
    et al., A Probabilistic Approach to the Geometry of the l_p^n-Ball, 2005
    (the start).
    """

    share: float = 0.01

    def __post_init__(self):
        super().__post_init__()
        checks.require(
            isinstance(self.share, (int, float)) and 0 <= self.share <= 1,
            "`share` of L1 must be a number from 0, for the largest slope "
            "alone, to 1, for all coordinates.",
            repr(self.share),
        )

    def start(self, like: Tensors, seed: tf.Tensor) -> Tensors:
        vectors = joined(like)
        draws = seeds.uniform(vectors, seeds.derive(seed, "signed"))
        more = seeds.uniform(vectors[:, :1], seeds.derive(seed, "corner"))

        def exponential(uniform: tf.Tensor) -> tf.Tensor:
            return -tf.math.log(1 - tf.minimum(tf.abs(uniform), 1 - 1e-7))

        # Without the further number, the point would lie on the border.
        lengths = exponential(draws)
        total = _sums(lengths) + exponential(more)
        radius = as_type(self.radius, vectors)
        return parted(radius * tf.sign(draws) * lengths / total, like)

    def direction(self, gradient: Tensors) -> Tensors:
        slopes = joined(gradient)
        others = tf.cast(tf.shape(slopes)[1] - 1, tf.float64)
        count = tf.cast(self.share * others, tf.int32) + 1
        least = tf.math.top_k(tf.abs(slopes), count).values[:, -1:]
        return parted(signs_from(slopes, least), gradient)

    def ascend(self, change: Tensors, gradient: Tensors) -> Tensors:
        return tf.nest.map_structure(
            lambda part, move: part + as_type(self.step, part) * move,
            change,
            self.direction(gradient),
        )

    def ascend_within(
        self, change: tf.Tensor, gradient: tf.Tensor, images: tf.Tensor
    ) -> tf.Tensor:
        # A step of few coordinates would be lost on pixels at the border.
        ends = tf.where(gradient > 0, change >= 1 - images, change <= -images)
        gradient = tf.where(ends, tf.zeros_like(gradient), gradient)
        return super().ascend_within(change, gradient, images)

    def project(self, change: Tensors) -> Tensors:
        vectors = joined(change)
        found = nearest(vectors, tf.abs(vectors), self.radius)
        return parted(found, change)

    def project_within(self, change: tf.Tensor, images: tf.Tensor) -> tf.Tensor:
        room = tf.where(change > 0, 1 - images, images)
        found = nearest(joined(change), joined(room), self.radius)
        return parted(found, change)

    def norm(self, change: Tensors) -> tf.Tensor:
        return tf.reduce_sum(tf.abs(joined(change)), axis=1)


def signs_from(slopes: tf.Tensor, least: tf.Tensor) -> tf.Tensor:
    """The signs of the slopes of size `least` or more, scaled to L1 norm 1.

    Args:
        slopes: Slopes (B, N).
        least: Smallest absolute value of a slope that counts, (B, 1).
    """
    signs = tf.where(tf.abs(slopes) >= least, tf.sign(slopes), 0)
    return signs / tf.maximum(_sums(tf.abs(signs)), 1)


def nearest(
    vectors: tf.Tensor, room: tf.Tensor, radius: float | tf.Tensor
) -> tf.Tensor:
    """The nearest vectors in an L1 ball, with each coordinate in its room.

    Args:
        vectors: Vectors (B, N).
        room: Largest magnitude of each coordinate, (B, N).
        radius: Radius, one number or (B, 1).

    Returns:
        Vectors (B, N).
    """
    # Bisection of the threshold t takes less than half of the time of sorting
    # the 2 N corners of the sum.
    lengths = tf.abs(vectors)
    room = tf.minimum(room, lengths)
    radius = as_type(radius, vectors)
    # Rounding must not move a vector at the border of the ball.
    slack = 4 * np.finfo(vectors.dtype.as_numpy_dtype).eps
    inside = _sums(room) <= radius * (1 + slack)
    # With t measured downwards from the largest length, as `depth`, a small
    # ball does not lose its digits to a large vector.
    largest = tf.reduce_max(lengths, axis=1, keepdims=True)
    gap = largest - lengths

    def shortened(depth: tf.Tensor) -> tf.Tensor:
        return tf.minimum(tf.maximum(depth - gap, 0), room)

    def halved(low: tf.Tensor, high: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        middle = (low + high) / 2
        over = _sums(shortened(middle)) >= radius
        return tf.where(over, low, middle), tf.where(over, middle, high)

    # A coordinate with room for the whole radius has used it by this depth.
    used = tf.where(room >= radius, gap, largest)
    used = tf.reduce_min(used, axis=1, keepdims=True) + radius
    _, depth = tf.while_loop(
        lambda *_: True,
        halved,
        (tf.zeros_like(largest), tf.minimum(largest, used)),
        parallel_iterations=1,
        maximum_iterations=_HALVINGS,
    )
    # The sum is linear from here to the solution.
    moving = (depth > gap) & (depth - gap <= room)
    slope = tf.maximum(_sums(tf.cast(moving, vectors.dtype)), 1)
    depth -= (_sums(shortened(depth)) - radius) / slope
    found = shortened(depth)
    # What rounding adds to the sum is taken back.
    found *= radius / tf.maximum(_sums(found), radius + _TINY)
    return tf.sign(vectors) * tf.where(inside, room, found)


def _sums(vectors: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(vectors, axis=1, keepdims=True)
