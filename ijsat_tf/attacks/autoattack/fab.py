"""FAB: the search for the nearest misclassified image.

At x_k, each other class c has the linear boundary f_c(x_k) + w_c . (x - x_k)
= 0, with f_c = z_c - z_y and w_c the gradient of f_c. The boundary of the class
of least |f_c| / |w_c|_q is used. With d_1 and d_2 the shortest changes from x_k
and from the image x onto that boundary inside the box (see `hyperplane`, and
`l1_hyperplane` for the L1 norm),

    x_{k+1} = clip((1 - a) (x_k + eta d_1) + a (x + eta d_2)),
    a = min(|d_1| / (|d_1| + |d_2|), alpha_max),

and after a misclassified x_{k+1} the search goes on from
x + beta (x_{k+1} - x). The result is the misclassified image nearest to x.
"""

from __future__ import annotations

import tensorflow as tf

from ijsat_tf import seeds
from ijsat_tf.attacks.attack import AttackResult
from ijsat_tf.attacks.autoattack.boundary import nearest_boundary
from ijsat_tf.attacks.autoattack.hard_labels import require_hard, verdict
from ijsat_tf.attacks.autoattack.hyperplane import Hyperplane
from ijsat_tf.attacks.autoattack.l1_hyperplane import L1Hyperplane
from ijsat_tf.attacks.ball_attack import BallAttack
from ijsat_tf.attacks.outcome import succeeds
from ijsat_tf.rows import each, pick
from ijsat_tf.spaces import L1, Linf
from ijsat_tf.types import LogitsFn, Tensors, value

_ALPHA_MAX, _ETA, _BETA = 0.1, 1.05, 0.9


@value
class FAB(BallAttack):
    """Fast Adaptive Boundary: the smallest change that fools the model.

    The search itself does not use the radius. A result outside of the ball
    does not count. A sample that is already misclassified is not attacked.

    Args:
        ball: Ball of the pixels, `Linf(radius)`, `L2(radius)` or `L1(radius)`.
        targeted: Whether to search for one other class after another (FAB-T),
            in the order of the clean image's largest logits; default True.
            False searches for the nearest boundary of all classes at each
            step, which takes as many gradients as there are other classes.
            Labels are the true classes in both cases.
        steps: Number of updates, default 100.
        restarts: Number of searches, for each class if `targeted`; default 1.
            The first search starts at the image, the others at random changes
            of half the radius.
        targets: Number of other classes if `targeted`, default 9; all other
            classes where there are fewer.

    Raises:
        ValueError: for settings out of range, or another ball; when called,
            for soft labels.

    Source: Croce & Hein, Minimally distorted Adversarial Examples with a
    Fast Adaptive Boundary Attack, 2020, Algorithm 1;
    https://github.com/fra31/auto-attack.
    """

    targeted: bool = True
    steps: int = 100
    restarts: int = 1
    targets: int = 9
    counts = "steps", "restarts", "targets"

    @property
    def labels_are_targets(self) -> bool:
        return False

    def craft(
        self,
        logits_of: LogitsFn,
        images: tf.Tensor,
        labels: tf.Tensor,
        seed: tf.Tensor,
        latents: Tensors | None = None,
    ) -> AttackResult:
        labels = require_hard(labels, "FAB")
        logits = logits_of(images)
        others = self._others(labels, logits)
        count = others.shape[1] if self.targeted else 1

        def attempt(
            number: tf.Tensor, found: tf.Tensor, done: tf.Tensor
        ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            target, restart = number // self.restarts, number % self.restarts
            rows = tf.where(~done)[:, 0]
            wanted = others[:, target, None] if self.targeted else others
            starts = self._start(images, seeds.derive(seed, number), restart)
            nearest, distance = self._run(
                logits_of,
                tf.gather(images, rows),
                tf.gather(labels, rows),
                tf.gather(wanted, rows),
                tf.gather(starts, rows),
            )
            inside = distance <= self.ball.radius
            rows = tf.boolean_mask(rows, inside)[:, None]
            nearest = tf.boolean_mask(nearest, inside)
            found = tf.tensor_scatter_nd_update(found, rows, nearest)
            news = tf.ones_like(rows[:, 0], dtype=tf.bool)
            return (
                number + 1,
                found,
                tf.tensor_scatter_nd_update(done, rows, news),
            )

        _, found, _ = tf.while_loop(
            lambda number, found, done: (
                (number < count * self.restarts) & ~tf.reduce_all(done)
            ),
            attempt,
            (0, images, succeeds(logits, labels)),
            parallel_iterations=1,
        )
        return verdict(logits_of, self.ball.norm, images, labels, found)

    def _others(self, labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """The other classes to search for, (B, T)."""
        classes = labels.shape[-1]
        if self.targeted:
            count = min(self.targets, classes - 1)
            return tf.math.top_k(logits, count + 1).indices[:, 1:]
        own = tf.argmax(labels, axis=-1, output_type=tf.int32)
        return (own[:, None] + tf.range(1, classes)) % classes

    def _start(
        self, images: tf.Tensor, seed: tf.Tensor, restart: tf.Tensor
    ) -> tf.Tensor:
        """The start of a search: first x itself, later points near x."""
        draw = seeds.uniform if isinstance(self.ball, Linf) else seeds.normal
        change = draw(images, seed)
        length = tf.maximum(self.ball.norm(change), 1e-12)
        change *= each(self.ball.radius / 2 / length, images)
        change *= tf.cast(restart > 0, images.dtype)
        return tf.clip_by_value(images + change, 0, 1)

    def _run(
        self,
        logits_of: LogitsFn,
        images: tf.Tensor,
        labels: tf.Tensor,
        others: tf.Tensor,
        start: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """One search: the nearest misclassified image, and its distance."""
        norm = self.ball.norm
        kind = L1Hyperplane if isinstance(self.ball, L1) else Hyperplane

        def step(
            number: tf.Tensor,
            point: tf.Tensor,
            nearest: tf.Tensor,
            distance: tf.Tensor,
        ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
            gap, normal = nearest_boundary(
                logits_of, self.ball, point, labels, others
            )
            # The plane runs through the point when the gap is zero.
            axes = list(range(1, images.shape.rank))
            gap0 = gap + tf.reduce_sum(normal * (images - point), axis=axes)
            plane = kind(self.ball, normal)
            change = plane.shift(point, gap)
            change0 = plane.shift(images, gap0)
            length = tf.maximum(norm(change), 1e-8)
            length0 = tf.maximum(norm(change0), 1e-8)
            alpha = tf.minimum(length / (length + length0), _ALPHA_MAX)
            alpha = each(alpha, images)
            moved = (1 - alpha) * (point + _ETA * change)
            moved += alpha * (images + _ETA * change0)
            moved = tf.clip_by_value(moved, 0, 1)

            beyond = succeeds(logits_of(moved), labels)
            reached = norm(moved - images)
            better = beyond & (reached < distance)
            back = images + _BETA * (moved - images)
            return (
                number + 1,
                pick(beyond, back, moved),
                pick(better, moved, nearest),
                tf.where(better, reached, distance),
            )

        _, _, nearest, distance = tf.while_loop(
            lambda number, *_: number < self.steps,
            step,
            (0, start, images, tf.zeros_like(images[:, 0, 0, 0]) + 1e10),
            parallel_iterations=1,
            maximum_iterations=self.steps,
        )
        return nearest, distance
