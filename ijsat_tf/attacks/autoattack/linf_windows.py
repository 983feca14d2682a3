"""The moves of the Square attack in an Linf ball."""

from __future__ import annotations

import tensorflow as tf

from ijsat_tf import seeds
from ijsat_tf.attacks.autoattack.windows import Windows, inside, sign


class LinfWindows(Windows):
    """Squares at the ball's border, with one sign per channel (Algorithm 2)."""

    def __init__(
        self, radius: float, images: tf.Tensor, queries: int, seed: tf.Tensor
    ):
        super().__init__(radius, images, queries, seed)
        draw = tf.random.stateless_uniform(
            [queries, images.shape[-1]],
            seeds.derive(seed, "signs"),
            -1,
            1,
            images.dtype,
        )
        self.signs = sign(draw)

    def start(self) -> tf.Tensor:
        """Vertical stripes of width 1, with signs per sample and channel."""
        draw = seeds.uniform(self.images[:, :1], seeds.derive(self.seed, -1))
        stripes = self.images + self.radius * sign(draw)
        return tf.clip_by_value(stripes, 0, 1)

    def of(self, rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        images = tf.gather(self.images, rows)
        low = tf.maximum(images - self.radius, 0)
        return low, tf.minimum(images + self.radius, 1)

    def propose(
        self,
        query: tf.Tensor,
        best: tf.Tensor,
        known: tuple[tf.Tensor, tf.Tensor],
    ) -> tf.Tensor:
        low, high = known
        square = inside(best, self.corners[query, 0], self.sides[query])
        move = 2 * self.radius * self.signs[query] * square
        return tf.minimum(tf.maximum(best + move, low), high)
