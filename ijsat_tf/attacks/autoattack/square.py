"""Square: random search by squares, which needs the model's outputs only.

Each query changes the image inside a square window. The change is kept where
it lowers the margin z_y - max_{j != y} z_j. Windows shrink by a fixed schedule,
and all samples of a batch share their places, as in the official code.
"""

from __future__ import annotations

import tensorflow as tf

from ijsat_tf import checks, losses, seeds
from ijsat_tf.attacks.attack import AttackResult
from ijsat_tf.attacks.autoattack.hard_labels import require_hard, verdict
from ijsat_tf.attacks.autoattack.l1_windows import L1Windows
from ijsat_tf.attacks.autoattack.l2_windows import L2Windows
from ijsat_tf.attacks.autoattack.linf_windows import LinfWindows
from ijsat_tf.attacks.ball_attack import BallAttack
from ijsat_tf.attacks.outcome import succeeds
from ijsat_tf.rows import pick
from ijsat_tf.spaces import L1, L2, Linf
from ijsat_tf.types import LogitsFn, Tensors, value

_WINDOWS = {Linf: LinfWindows, L2: L2Windows, L1: L1Windows}


@value
class Square(BallAttack):
    """Square Attack: a query-efficient search without gradients.

    Args:
        ball: Ball of the pixels, `Linf(radius)`, `L2(radius)` or `L1(radius)`.
        queries: Number of changes to try after the start, default 5000.
        restarts: Number of searches from different random starts, for the
            samples that are not yet misclassified; default 1.

    Raises:
        ValueError: for settings out of range, or another ball; when called,
            for soft labels.

    Source: Andriushchenko et al., Square Attack: a query-efficient black-box
    adversarial attack via random search, 2020, Algorithms 1 to 3;
    https://github.com/fra31/auto-attack, with its schedule for 10,000 queries
    whatever `queries` is (`resc_schedule=False`).
    """

    queries: int = 5000
    restarts: int = 1
    counts = "queries", "restarts"

    def craft(
        self,
        logits_of: LogitsFn,
        images: tf.Tensor,
        labels: tf.Tensor,
        seed: tf.Tensor,
        latents: Tensors | None = None,
    ) -> AttackResult:
        checks.require(
            images.shape[1:].is_fully_defined(),
            "`images` of Square must have a known height, width and number of "
            "channels; give the shape (None, H, W, C) in the "
            "`input_signature` of your tf.function.",
            f"shape {tuple(images.shape)}",
        )
        labels = require_hard(labels, "Square")
        done = succeeds(logits_of(images), labels)

        def attempt(
            number: tf.Tensor, best: tf.Tensor, least: tf.Tensor
        ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            draw = seeds.derive(seed, number)
            return number + 1, *self._run(
                logits_of, images, labels, best, least, draw
            )

        # A sample with a negative margin is misclassified, and not attacked.
        least = tf.where(done, -1.0, 1.0)
        _, best, _ = tf.while_loop(
            lambda number, best, least: (
                (number < self.restarts) & tf.reduce_any(least > 0)
            ),
            attempt,
            (0, images, least),
            parallel_iterations=1,
        )
        return verdict(logits_of, self.ball.norm, images, labels, best)

    def _run(
        self,
        logits_of: LogitsFn,
        images: tf.Tensor,
        labels: tf.Tensor,
        best: tf.Tensor,
        least: tf.Tensor,
        seed: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """One search; samples with `least` <= 0 stay as they are."""
        kind = next(ball for ball in _WINDOWS if isinstance(self.ball, ball))
        windows = _WINDOWS[kind](self.ball.radius, images, self.queries, seed)
        start = windows.start()
        alive = least > 0
        best = pick(alive, start, best)
        least = tf.where(alive, losses.margin(labels, logits_of(start)), least)

        def rounds(
            query: tf.Tensor, best: tf.Tensor, least: tf.Tensor
        ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            """Queries for the samples that are still classified correctly,
            until more of the samples are misclassified."""
            rows = tf.where(least > 0)[:, 0]
            its_labels = tf.gather(labels, rows)
            known = windows.of(rows)
            few = tf.shape(rows)[0] * 15 // 16

            def ask(
                query: tf.Tensor, best: tf.Tensor, least: tf.Tensor
            ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
                asked = windows.propose(query, best, known)
                found = losses.margin(its_labels, logits_of(asked))
                # A margin of NaN counts as misclassified.
                found = tf.where(tf.math.is_nan(found), -1.0, found)
                take = (found < least) & (least > 0)
                best = pick(take, asked, best)
                return query + 1, best, tf.where(take, found, least)

            query, its_best, its_least = tf.while_loop(
                lambda query, best, least: (
                    (query < self.queries)
                    & (tf.math.count_nonzero(least > 0, dtype=tf.int32) > few)
                ),
                ask,
                (query, tf.gather(best, rows), tf.gather(least, rows)),
                parallel_iterations=1,
            )
            rows = rows[:, None]
            return (
                query,
                tf.tensor_scatter_nd_update(best, rows, its_best),
                tf.tensor_scatter_nd_update(least, rows, its_least),
            )

        _, best, least = tf.while_loop(
            lambda query, best, least: (
                (query < self.queries) & tf.reduce_any(least > 0)
            ),
            rounds,
            (0, best, least),
            parallel_iterations=1,
        )
        return best, least
