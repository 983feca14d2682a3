"""DeepFool: steps onto the nearest linearised boundary."""

from __future__ import annotations

import tensorflow as tf

from ijsat_tf import checks
from ijsat_tf.attacks.autoattack.boundary import dual_norm, nearest_boundary
from ijsat_tf.attacks.autoattack.margins import ranked_targets
from ijsat_tf.attacks.least_distance.least_distance import LeastDistance
from ijsat_tf.attacks.outcome import succeeds
from ijsat_tf.rows import each, pick
from ijsat_tf.spaces import L2, Linf
from ijsat_tf.types import LogitsFn, value

# Only the norms of these balls are used, not the radii.
_BALLS = {"l2": L2(1.0), "linf": Linf(1.0)}
_BEYOND = 1e-4


@value
class DeepFool(LeastDistance):
    """DeepFool, which walks onto one linearised boundary after another.

    At x_k, each other class c has the boundary f_c(x_k) + w_c . d = 0, with
    f_c = z_c - z_y and w_c the gradient of f_c. The nearest boundary is that
    of the least |f_c| / |w_c|_q, and d_k is the shortest way there:

    d_k = (|f_c| / |w_c|_q + 1e-4) u_c,
    x_{k+1} = clip(x + (1 + overshoot) (d_1 + ... + d_k)),

    with u_c = w_c / |w_c|_2 for the L2 norm and sign(w_c) for Linf. A sample
    stops at the first misclassified x_k, which need not be the nearest one.

    Args:
        norm: Norm of distances, "l2" or "linf"; default "l2".
        steps: Largest number of updates, default 50.
        candidates: Number of classes to consider, which have the clean image's
            largest logits and include the true class; default 10. All classes
            are considered where there are fewer.
        overshoot: Share of the way to go on beyond the boundary, default
            0.02.

    Raises:
        ValueError: for settings out of range; when called, for soft labels.

    Source: Moosavi-Dezfooli et al., DeepFool: a simple and accurate method to
    fool deep neural networks, 2016, Algorithm 2, with the candidates and the
    1e-4 of Foolbox.
    """

    norm: str = "l2"
    steps: int = 50
    candidates: int = 10
    overshoot: float = 0.02
    norms = "l2", "linf"
    counts = "steps", "candidates"

    def __post_init__(self):
        super().__post_init__()
        checks.require(
            self.candidates >= 2,
            "`candidates` must be at least 2, the own class and another one.",
            self.candidates,
        )
        checks.not_negative("overshoot", self.overshoot)

    def search(
        self,
        logits_of: LogitsFn,
        images: tf.Tensor,
        labels: tf.Tensor,
        logits: tf.Tensor,
    ) -> tf.Tensor:
        ball = _BALLS[self.norm]
        count = min(self.candidates, labels.shape[-1]) - 1
        others = ranked_targets(labels, logits, count)

        def step(
            number: tf.Tensor, point: tf.Tensor, way: tf.Tensor, live: tf.Tensor
        ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
            gap, normal = nearest_boundary(
                logits_of, ball, point, labels, others
            )
            distance = tf.abs(gap) / tf.maximum(dual_norm(ball, normal), 1e-12)
            way += each(distance + _BEYOND) * ball.direction(normal)
            moved = tf.clip_by_value(images + (1 + self.overshoot) * way, 0, 1)
            point = pick(live, moved, point)
            live &= ~succeeds(logits_of(point), labels)
            return number + 1, point, way, live

        _, point, _, _ = tf.while_loop(
            lambda number, point, way, live: tf.reduce_any(live),
            step,
            (0, images, tf.zeros_like(images), ~succeeds(logits, labels)),
            parallel_iterations=1,
            maximum_iterations=self.steps,
        )
        return point
