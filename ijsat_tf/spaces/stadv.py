"""Flow fields, which move each pixel of an image."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from ijsat_tf.spaces.field import Field, FieldChange
from ijsat_tf.spaces.sampling import sample
from ijsat_tf.spaces.transform import image_shape
from ijsat_tf.types import Tensors, value


@value
class StAdv(Field):
    """StAdv, a flow field: x^(p) = x(p + F(p)), |F|_inf <= budget.

    F has one displacement per pixel, first to the right, then down, as a share
    of half the side of the image. Values of x between pixels are bilinear, and
    0 outside of the image. A place p + F(p) is at most half a pixel beyond the
    first and the last pixels. The search maximises

    loss - smoothness * sum_p sum_{q next to p} |F(p) - F(q)|_2 / budget

    Args:
        budget: Largest displacement, as a share of half the side, e.g. 0.05,
            which is 0.8 pixels for a side of 32.
        step: Learning rate of Adam, in the unit of the budget; None, the
            default, stands for 2 * budget / sqrt(steps), which is the
            original's 0.01 for 100 steps and a budget of 0.05.
        smoothness: Weight of the total variation in logits, default 0.0025.

    Raises:
        ValueError: for settings out of range.

    Source: Xiao et al., Spatially Transformed Adversarial Examples, 2018, with
    the bound on F and the weight of Laidlaw et al., Perceptual Adversarial
    Robustness, 2021, whose flows are those of the library mister_ed. The
    original paper has no bound, and L-BFGS in place of Adam.
    """

    smoothness: float = 0.0025

    @property
    def reach(self) -> float:
        return 2 * self.budget

    def prepare(self, images: tf.Tensor, latents: Tensors | None) -> tf.Tensor:
        image_shape(images)
        return tf.repeat(tf.zeros_like(images[..., :1]), 2, axis=-1)

    def apply(
        self, images: tf.Tensor, change: FieldChange, context: tf.Tensor
    ) -> tf.Tensor:
        _, height, width, _ = images.shape
        right, down = tf.unstack(change.field, axis=-1)
        rows = tf.range(height, dtype=down.dtype)[:, None]
        columns = tf.range(width, dtype=right.dtype)
        return sample(
            images, rows + down * height / 2, columns + right * width / 2
        )

    def project(self, field: tf.Tensor) -> tf.Tensor:
        _, height, width, _ = field.shape
        # The pixels' places in an image that reaches from -1 to 1.
        places = np.stack(
            np.meshgrid(_centres(width), _centres(height)), axis=-1
        )
        low, high = (
            tf.constant(side - places, field.dtype) for side in (-1, 1)
        )
        inside = tf.minimum(tf.maximum(field, low), high)
        return super().project(inside)


def _centres(side: int) -> np.ndarray:
    return (2 * np.arange(side) + 1) / side - 1
