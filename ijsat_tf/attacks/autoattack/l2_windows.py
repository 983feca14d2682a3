"""The moves of the Square attack in an L2 ball."""

from __future__ import annotations

import tensorflow as tf

from ijsat_tf.attacks.autoattack.pyramid_windows import PyramidWindows
from ijsat_tf.rows import each
from ijsat_tf.spaces import L2


class L2Windows(PyramidWindows):
    """Pyramids of L2 norms; changes are scaled to the radius."""

    def sums(self, window: tf.Tensor) -> tf.Tensor:
        return tf.reduce_sum(tf.square(window), [1, 2], keepdims=True)

    def root(self, sums: tf.Tensor) -> tf.Tensor:
        return tf.sqrt(sums)

    def unused(self, change: tf.Tensor) -> tf.Tensor:
        return self.radius**2 - tf.square(L2(0).norm(change))

    def fit(self, images: tf.Tensor, change: tf.Tensor) -> tf.Tensor:
        length = self.radius / (L2(0).norm(change) + 1e-12)
        return tf.clip_by_value(images + change * each(length, images), 0, 1)
