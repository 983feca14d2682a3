"""The moves of the Square attack in an L1 ball."""

from __future__ import annotations

import tensorflow as tf

from ijsat_tf.attacks.autoattack.pyramid_windows import PyramidWindows
from ijsat_tf.spaces import L1


class L1Windows(PyramidWindows):
    """Steeper pyramids of L1 norms; changes are projected inside the box.

    A new window has its norm times the number of channels, and the projection
    takes back the part that exceeds the ball. A change that is smaller than
    the ball stays smaller.

    Source: https://github.com/fra31/auto-attack.
    """

    order, decay = 1, 4

    @property
    def gain(self) -> int:
        return self.images.shape[-1]

    def sums(self, window: tf.Tensor) -> tf.Tensor:
        return tf.reduce_sum(tf.abs(window), [1, 2], keepdims=True)

    def root(self, sums: tf.Tensor) -> tf.Tensor:
        return sums

    def unused(self, change: tf.Tensor) -> tf.Tensor:
        return self.radius - L1(0).norm(change)

    def fit(self, images: tf.Tensor, change: tf.Tensor) -> tf.Tensor:
        # The sum of the rounded images is not to exceed the radius.
        ball = L1((1 - 1e-6) * self.radius)
        return images + ball.project_within(change, images)
