"""Perceptual attacks with a penalty for exceeding the bound."""

from __future__ import annotations

import math

import tensorflow as tf

from ijsat_tf import checks
from ijsat_tf.attacks.gradients import by_images
from ijsat_tf.attacks.outcome import succeeds
from ijsat_tf.attacks.perceptual.perceptual_attack import PerceptualAttack
from ijsat_tf.attacks.perceptual.perceptual_ball import PerceptualBall
from ijsat_tf.models.perceptual_distance import norm
from ijsat_tf.rows import each
from ijsat_tf.types import value

_PROBE = 0.1  # The length in image space of the step that probes the distance.


@value
class LagrangianAttack(PerceptualAttack):
    """Minimises -min(margin, cap) + lambda relu(d(x, x^) - bound).

    Each step goes along the gradient. The length of the step is chosen so
    that the distance changes by an amount that falls from the bound to a
    tenth of the bound; a probe of length 0.1 estimates how fast the distance
    changes. The cap is infinite unless a subclass sets `_cap`.
    """

    _cap = math.inf
    _floor = 1e-4

    def descend(
        self,
        ball: PerceptualBall,
        labels: tf.Tensor,
        images: tf.Tensor,
        penalty: tf.Tensor,
        decay: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Makes one step.

        Args:
            ball: Perceptual ball around the clean images.
            labels: Labels (B, K).
            images: Present images x^, (B, H, W, C).
            penalty: Weight lambda of the penalty, a scalar or (B,).
            decay: Decay factor of the step's length, from 1 to 0.1.

        Returns:
            Images x^ after the step; the distance of x^ before the step,
            (B,); and whether x^ before the step is a success, (B,).
        """
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(images)
            features, logits = ball.view(images)
            distance = norm(features - ball.origin)
            margin = tf.minimum(self.margin(labels, logits), self._cap)
            excess = tf.nn.relu(distance - self.bound)
            gain = tf.cast(margin, images.dtype) - penalty * excess
            total = tf.reduce_sum(gain)
        gradient = by_images(tape, total, images)
        direction = gradient / each(norm(gradient) + 1e-8)
        probed = ball.features(images + _PROBE * direction)
        rate = norm(probed - features) / _PROBE
        length = self.bound * decay / (rate + self._floor)
        moved = tf.clip_by_value(images + each(length) * direction, 0.0, 1.0)
        return moved, distance, succeeds(logits, labels, self.targeted)


@value
class FastLagrangePerceptual(LagrangianAttack):
    """Fast-LPA, the attack of Perceptual Adversarial Training (Fast PAT).

    lambda grows from a tenth of `penalty` to `penalty`. Images are not
    projected, so the bound is soft: images may be beyond the bound, and the
    success rate does not measure robustness within the bound. The distances
    reached are in `result.budget`.

    Args:
        bound: Bound of the distance, default 0.5.
        distance: Perceptual distance; None, the default, stands for the
            attacked classifier's own distance.
        steps: Number of updates, default 20; Fast PAT takes 10.
        layers: Names of the layers that the classifier's own distance
            compares; None, the default, stands for the classifier's stages.
        targeted: Whether labels are target classes, default False.
        penalty: Weight lambda of the penalty at the end, default 10.

    Raises:
        ValueError: for settings out of range.

    Source: Laidlaw et al., 2021, algorithm 3.
    """

    penalty: float = 10.0

    @property
    def radii(self) -> dict[str, float]:
        return {}  # The bound is soft.

    def __post_init__(self):
        super().__post_init__()
        checks.not_negative("penalty", self.penalty)

    def find(
        self, ball: PerceptualBall, labels: tf.Tensor, start: tf.Tensor
    ) -> tf.Tensor:
        def step(
            iteration: tf.Tensor, images: tf.Tensor
        ) -> tuple[tf.Tensor, tf.Tensor]:
            decay = 0.1 ** (tf.cast(iteration, images.dtype) / self.steps)
            penalty = 0.1 * self.penalty / decay
            moved, *_ = self.descend(ball, labels, images, penalty, decay)
            return iteration + 1, moved

        _, images = tf.while_loop(
            lambda *_: True,
            step,
            (0, start),
            parallel_iterations=1,
            maximum_iterations=self.steps,
        )
        return images


@value
class LagrangePerceptual(LagrangianAttack):
    """LPA, which searches for the smallest lambda that keeps the bound.

    lambda starts at 0.01 and is multiplied by 10 after each round of steps
    that ended beyond the bound. A sample that is a success within the bound
    stops one step later. At the end images are projected, so that the bound
    holds.

    Args:
        bound: Bound of the distance, default 0.5.
        distance: Perceptual distance; None, the default, stands for the
            attacked classifier's own distance.
        steps: Number of updates in each round, default 40.
        layers: Names of the layers that the classifier's own distance
            compares; None, the default, stands for the classifier's stages.
        targeted: Whether labels are target classes, default False.
        rounds: Number of rounds, default 5.

    Raises:
        ValueError: for settings out of range.

    Source: Laidlaw et al., 2021, algorithm 2.
    """

    steps: int = 40
    rounds: int = 5
    counts = "steps", "rounds"
    _cap = 1.0
    _floor = 1e-8

    def find(
        self, ball: PerceptualBall, labels: tf.Tensor, start: tf.Tensor
    ) -> tf.Tensor:
        def step(
            iteration: tf.Tensor,
            images: tf.Tensor,
            penalty: tf.Tensor,
            live: tf.Tensor,
        ) -> tuple[tf.Tensor, ...]:
            place = iteration % self.steps
            decay = 0.1 ** (tf.cast(place, images.dtype) / self.steps)
            moved, distance, success = self.descend(
                ball, labels, images, penalty, decay
            )
            images = tf.where(each(live), moved, images)
            ends = place == self.steps - 1
            raised = ends & live & (distance >= self.bound)
            penalty = tf.where(raised, 10 * penalty, penalty)
            live &= ~success | (distance > self.bound)
            return iteration + 1, images, penalty, live

        live = tf.ones_like(start[:, 0, 0, 0], dtype=tf.bool)
        _, images, _, _ = tf.while_loop(
            lambda iteration, images, penalty, live: tf.reduce_any(live),
            step,
            (0, start, tf.where(live, tf.cast(0.01, start.dtype), 0), live),
            parallel_iterations=1,
            maximum_iterations=self.rounds * self.steps,
        )
        return ball.project(images)
