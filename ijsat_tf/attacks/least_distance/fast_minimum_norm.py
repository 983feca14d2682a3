"""FMN: gradient steps in a ball whose radius follows the boundary."""

from __future__ import annotations

import math

import tensorflow as tf

from ijsat_tf import checks
from ijsat_tf.attacks.least_distance.least_distance import LeastDistance
from ijsat_tf.attacks.least_distance.norms import NORMS, l2
from ijsat_tf.rows import each, pick
from ijsat_tf.types import LogitsFn, value

_LAST_GAMMA = 0.001
_TINY = 1e-12


@value
class FastMinimumNorm(LeastDistance):
    """Fast Minimum-Norm (FMN): descent of the margin in an adaptive ball.

    With the margin L(x) = z_y - max_{j != y} z_j and its gradient g, each
    step first adapts the radius e and then moves the change d:

    e <- (1 + gamma) max(e, |d|_p + |L| / |g|_q)  before the first success,
    e <- (1 + gamma) e               after it, where x + d is no success,
    e <- min((1 - gamma) e, |d*|_p)  where x + d is a success,
    d <- clip(x + project(d - alpha g / |g|_2, e)) - x.

    A success is a misclassified x + d, and d* is the shortest such change so
    far. alpha falls from `step_size` to `step_size / 100`, and gamma to 0.001,
    both along a cosine. Before the first success the source has neither the
    factor nor the maximum, and e = |d|_p + |L| / |g|_q. The search then stops
    short of the boundary where the box shortens d in each step, as at black
    and white pixels, or where the model is linear.

    Args:
        norm: Norm of distances, "l1", "l2" or "linf"; default "l2".
        steps: Number of updates, default 100.
        step_size: Length alpha of the first step in the L2 norm, default 1.
        gamma: Share by which the radius changes at first, in [0, 1], default
            0.05.
        targeted: Whether labels are target classes, default False.

    Raises:
        ValueError: for settings out of range; when called, for soft labels.

    Source: Pintor et al., Fast Minimum-norm Adversarial Attacks through
    Adaptive Norm Constraints, 2021, Algorithm 1.
    """

    norm: str = "l2"
    steps: int = 100
    step_size: float = 1.0
    gamma: float = 0.05
    targeted: bool = False
    norms = "l1", "l2", "linf"

    def __post_init__(self):
        super().__post_init__()
        checks.not_negative("step_size", self.step_size)
        checks.not_negative("gamma", self.gamma)
        checks.require(
            self.gamma <= 1, "`gamma` must be in [0, 1].", self.gamma
        )

    def search(
        self,
        logits_of: LogitsFn,
        images: tf.Tensor,
        labels: tf.Tensor,
        logits: tf.Tensor,
    ) -> tf.Tensor:
        norm = NORMS[self.norm]
        corner = norm.length(tf.maximum(images, 1 - images))

        def annealed(first: float, last: float, number: tf.Tensor) -> tf.Tensor:
            turn = math.pi / self.steps * tf.cast(number, images.dtype)
            return last + (first - last) * (1 + tf.cos(turn)) / 2

        def step(
            number: tf.Tensor,
            point: tf.Tensor,
            radius: tf.Tensor,
            nearest: tf.Tensor,
            least: tf.Tensor,
        ) -> tuple[tf.Tensor, ...]:
            alpha = annealed(self.step_size, self.step_size / 100, number)
            gamma = annealed(self.gamma, _LAST_GAMMA, number)
            gradient, lead, success = self.view(logits_of, point, labels)
            change = point - images
            distance = norm.length(change)

            nearer = success & (distance < least)
            nearest = pick(nearer, point, nearest)
            least = tf.where(nearer, distance, least)

            slope = tf.maximum(norm.dual(gradient), _TINY)
            boundary = distance + tf.abs(lead) / slope
            farther = tf.maximum(radius, boundary)
            outward = tf.where(least < math.inf, radius, farther) * (1 + gamma)
            inward = tf.minimum((1 - gamma) * radius, least)
            # No image is farther than the farthest corner of the box.
            radius = tf.minimum(tf.where(success, inward, outward), corner)

            length = tf.maximum(l2(gradient), _TINY)
            change = norm.project(
                change - each(alpha / length) * gradient, radius
            )
            point = tf.clip_by_value(images + change, 0, 1)
            return number + 1, point, radius, nearest, least

        none = tf.zeros_like(corner)
        _, _, _, nearest, _ = tf.while_loop(
            lambda *_: True,
            step,
            (0, images, none, images, none + math.inf),
            parallel_iterations=1,
            maximum_iterations=self.steps,
        )
        return nearest
