"""Projected gradient descent in the metric of a perceptual distance."""

from __future__ import annotations

import tensorflow as tf

from ijsat_tf.attacks.gradients import by_images
from ijsat_tf.attacks.perceptual.perceptual_attack import PerceptualAttack
from ijsat_tf.attacks.perceptual.perceptual_ball import PerceptualBall
from ijsat_tf.models.perceptual_distance import norm
from ijsat_tf.rows import each
from ijsat_tf.types import value

_CAP = 1.0


@value
class PerceptualPGD(PerceptualAttack):
    """PPGD: steepest ascent in the distance d, then projection into the ball.

    With J the Jacobian of phi at x^ and g the gradient of min(margin, 1),
    the best change of length |J v|_2 = step is along v = (J^T J)^-1 g, which
    some iterations of conjugate gradients find. Steps are 2 * bound / steps
    long. A sample without a gradient (a success by a margin of 1) does not
    move.

    Args:
        bound: Bound of the distance, default 0.5.
        distance: Perceptual distance; None, the default, stands for the
            attacked classifier's own distance.
        steps: Number of updates, default 40.
        layers: Names of the layers that the classifier's own distance
            compares; None, the default, stands for the classifier's stages.
        targeted: Whether labels are target classes, default False.
        conjugate_steps: Number of iterations of conjugate gradients, default
            5.

    Raises:
        ValueError: for settings out of range.

    Source: Laidlaw et al., 2021, algorithm 1. Their code takes difference
    quotients for J v, which have rounding errors; here J v is exact. Their
    code ends the conjugate gradients of a batch when no residual is above 0.1;
    here all iterations are made, so that samples are independent.
    """

    steps: int = 40
    conjugate_steps: int = 5
    counts = "steps", "conjugate_steps"

    def find(
        self, ball: PerceptualBall, labels: tf.Tensor, start: tf.Tensor
    ) -> tf.Tensor:
        def step(
            iteration: tf.Tensor, images: tf.Tensor
        ) -> tuple[tf.Tensor, tf.Tensor]:
            moved = self.ascend(ball, labels, images)
            return iteration + 1, ball.project(moved)

        _, images = tf.while_loop(
            lambda *_: True,
            step,
            (0, start),
            parallel_iterations=1,
            maximum_iterations=self.steps,
        )
        return images

    def ascend(
        self, ball: PerceptualBall, labels: tf.Tensor, images: tf.Tensor
    ) -> tf.Tensor:
        """The images x^ after one step, in [0, 1], not projected."""
        tapes = [
            tf.GradientTape(persistent=True, watch_accessed_variables=False)
            for _ in range(2)
        ]
        with tapes[1]:
            with tapes[0]:
                tapes[0].watch(images)
                features, logits = ball.view(images)
                margin = tf.minimum(self.margin(labels, logits), _CAP)
            # J^T u is linear in u, so that its derivative along v is J v.
            unused = tf.zeros_like(features)
            tapes[1].watch(unused)
            pulled = tapes[0].gradient(features, images, unused)

        def along(change: tf.Tensor) -> tf.Tensor:
            return tapes[1].gradient(pulled, unused, change)

        def metric(change: tf.Tensor) -> tf.Tensor:
            return tapes[0].gradient(features, images, along(change))

        gradient = by_images(tapes[0], margin, images)
        change = _solve(metric, gradient, self.conjugate_steps)
        length = tf.math.divide_no_nan(
            2 * self.bound / self.steps, norm(along(change))
        )
        length = tf.where(norm(gradient) < 1e-4, tf.zeros_like(length), length)
        return tf.clip_by_value(images + each(length) * change, 0.0, 1.0)


def _solve(metric, gradient: tf.Tensor, steps: int) -> tf.Tensor:
    """v with metric(v) = gradient, by conjugate gradients from 0."""

    def step(
        iteration: tf.Tensor,
        found: tf.Tensor,
        residual: tf.Tensor,
        direction: tf.Tensor,
    ) -> tuple[tf.Tensor, ...]:
        image = metric(direction)
        square = _dot(residual, residual)
        curvature = tf.maximum(_dot(direction, image), 0)
        length = tf.math.divide_no_nan(square, curvature)
        found += each(length) * direction
        residual -= each(length) * image
        factor = tf.math.divide_no_nan(_dot(residual, residual), square)
        return (
            iteration + 1,
            found,
            residual,
            residual + each(factor) * direction,
        )

    _, found, _, _ = tf.while_loop(
        lambda *_: True,
        step,
        (0, tf.zeros_like(gradient), gradient, gradient),
        parallel_iterations=1,
        maximum_iterations=steps,
    )
    return found


def _dot(one: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(one * other, axis=[1, 2, 3])
