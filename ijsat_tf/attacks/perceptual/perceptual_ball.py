"""The ball of a perceptual distance, and the projection into the ball."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from ijsat_tf.attacks.gradients import by_images
from ijsat_tf.models.perceptual_distance import norm
from ijsat_tf.rows import each

_NEWTON_STEPS = 10
_OVERSHOOT = 0.1
_BISECTIONS = 10


class PerceptualBall(NamedTuple):
    """The images x^ with |phi(x^) - phi(x)|_2 <= bound, one ball per sample.

    Attributes:
        images: Clean images x, (B, H, W, C) in [0, 1].
        origin: Features phi(x), (B, D).
        view: Function from images to (phi, logits), (B, D) and (B, K).
        bound: Radius of the balls.
    """

    images: tf.Tensor
    origin: tf.Tensor
    view: Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]
    bound: float

    def features(self, images: tf.Tensor) -> tf.Tensor:
        """The features phi(x^), (B, D)."""
        return self.view(images)[0]

    def distance(self, images: tf.Tensor) -> tf.Tensor:
        """The distance |phi(x^) - phi(x)|_2, (B,)."""
        return norm(self.features(images) - self.origin)

    def project(self, images: tf.Tensor) -> tf.Tensor:
        """Moves images into [0, 1] and the ball.

        The result is not always the nearest point of the ball.
        Newton's method solves d(x, x^) = bound. Each step goes a tenth too far,
        so that the image ends inside the ball. A sample that is still outside
        after ten steps moves along the line to x, by bisection. In that case
        the official code bisects the whole batch, and may end just outside of
        the ball.

        Args:
            images: Images (B, H, W, C).

        Returns:
            Images (B, H, W, C) in [0, 1] and in the ball.

        Source: Laidlaw et al., 2021, appendix A.4.
        """
        given = tf.clip_by_value(images, 0.0, 1.0)

        def step(
            iteration: tf.Tensor, moved: tf.Tensor, outside: tf.Tensor
        ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(moved)
                distance = self.distance(moved)
            slope = by_images(tape, distance, moved)
            excess = distance - self.bound
            outside = excess > 0
            length = (excess + _OVERSHOOT) * (1 + _OVERSHOOT)
            length = tf.math.divide_no_nan(length, norm(slope) ** 2)
            back = tf.clip_by_value(moved - each(length) * slope, 0.0, 1.0)
            return iteration + 1, tf.where(each(outside), back, moved), outside

        _, moved, outside = tf.while_loop(
            lambda iteration, moved, outside: tf.reduce_any(outside),
            step,
            (0, given, tf.ones_like(given[:, 0, 0, 0], dtype=tf.bool)),
            parallel_iterations=1,
            maximum_iterations=_NEWTON_STEPS,
        )
        return tf.cond(
            tf.reduce_any(outside),
            lambda: tf.where(each(outside), self._bisect(given), moved),
            lambda: moved,
        )

    def _bisect(self, images: tf.Tensor) -> tf.Tensor:
        def between(fraction: tf.Tensor) -> tf.Tensor:
            return self.images + each(fraction) * (images - self.images)

        def step(
            iteration: tf.Tensor, low: tf.Tensor, high: tf.Tensor
        ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            middle = (low + high) / 2
            inside = self.distance(between(middle)) <= self.bound
            low = tf.where(inside, middle, low)
            return iteration + 1, low, tf.where(inside, high, middle)

        none = tf.zeros_like(images[:, 0, 0, 0])
        _, low, _ = tf.while_loop(
            lambda *_: True,
            step,
            (0, none, none + 1),
            parallel_iterations=1,
            maximum_iterations=_BISECTIONS,
        )
        return between(low)
