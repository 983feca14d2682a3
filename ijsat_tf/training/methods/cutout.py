"""Cutout, which hides a square of each image."""

from __future__ import annotations

import numbers

import tensorflow as tf

from ijsat_tf import checks, seeds
from ijsat_tf.samples import Batch
from ijsat_tf.training.methods.method import Method
from ijsat_tf.types import value


@value
class Cutout(Method):
    """Cutout: training on images in which a square is hidden.

    The method minimises L(f(m x + (1 - m) fill), y) over theta, with m = 0
    inside a square, else 1.

    The centre of the square is uniform over the pixels of the image, and the
    border of the image may cut the square. The official code sets the square
    to 0 after (x - mean) / deviation, which is the mean of images in [0, 1].

    Args:
        length: Side of the square in pixels, default 16, as in the official
            code for CIFAR-10; that code has 8 for CIFAR-100. In that code
            squares of an odd `length` have a side of `length - 1`.
        fill: Values inside the square, in [0, 1], one number or one number per
            channel; default (125.3, 123.0, 113.9) / 255, the official code's
            mean of CIFAR-10. For another data set give the mean of that set.

    Raises:
        ValueError: for settings out of range; in training for images with
            another number of channels than `fill`.

    Source: DeVries and Taylor, Improved Regularization of Convolutional
    Neural Networks with Cutout, 2017;
    https://github.com/uoguelph-mlrg/Cutout.
    """

    length: int = 16
    fill: float | tuple[float, ...] = (125.3 / 255, 123.0 / 255, 113.9 / 255)

    def __post_init__(self):
        super().__post_init__()
        checks.at_least_one("length", self.length)
        checks.require(
            all(
                isinstance(part, numbers.Real) and 0 <= part <= 1
                for part in self._parts
            ),
            "`fill` must be a number in [0, 1], or one number per channel.",
            repr(self.fill),
        )

    def mixture(self, batch: Batch, seed: tf.Tensor) -> Batch:
        rows, height, width, _ = tf.unstack(tf.shape(batch.images))
        channels = batch.images.shape[-1]
        checks.require(
            len(self._parts) in (1, channels),
            f"`fill` of Cutout must be one number, or {channels} numbers for "
            f"images of {channels} channels.",
            repr(self.fill),
        )

        def hidden(size: tf.Tensor, axis: str) -> tf.Tensor:
            centre = seeds.of_this_replica(
                lambda count: tf.random.stateless_uniform(
                    [count, 1], seeds.derive(seed, axis), 0, size, tf.int32
                ),
                rows,
            )
            first = centre - self.length // 2
            place = tf.range(size)
            return (first <= place) & (place < first + self.length)

        square = (
            hidden(height, "row")[:, :, None, None]
            & hidden(width, "column")[:, None, :, None]
        )
        fill = tf.constant(self._parts, batch.images.dtype)
        # No latents: they decode to the image without the square.
        return Batch(tf.where(square, fill, batch.images), batch.labels)

    @property
    def _parts(self) -> tuple[float, ...]:
        return self.fill if isinstance(self.fill, tuple) else (self.fill,)
