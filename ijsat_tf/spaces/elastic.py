"""Elastic deformations, which move each pixel a little."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from ijsat_tf import checks
from ijsat_tf.spaces.balls import Linf
from ijsat_tf.spaces.sampling import sample
from ijsat_tf.spaces.transform import Unforeseen, image_shape
from ijsat_tf.types import Tensors, value


class ElasticContext(NamedTuple):
    """Constants of an elastic deformation for a batch.

    Attributes:
        still: Displacement of zero, (B, H, W, 2).
        rows: Places of the output's rows in the input without a displacement,
            (H, 1).
        columns: Places of the output's columns in the input without a
            displacement, (1, W).
        smooth_rows: Gaussian blur along a column as a matrix, (H, H).
        smooth_columns: Gaussian blur along a row as a matrix, (W, W).
    """

    still: tf.Tensor
    rows: np.ndarray
    columns: np.ndarray
    smooth_rows: np.ndarray
    smooth_columns: np.ndarray


@value
class Elastic(Unforeseen):
    """Elastic deformation: x^(p) = x(p + (K * d)(p)), |d|_inf <= budget.

    d has one displacement per pixel, and is smoothed by a Gaussian K with a
    reflected border. Values of x between pixels are bilinear, and 0 outside of
    the image.

    Args:
        budget: Largest absolute value of d, in pixels.
        step: Length of a step in pixels; None, the default, stands for
            budget / sqrt(steps).
        reference: Whether a displacement of zero shrinks the image by
            (W - 1) / W, as the original does since PyTorch 1.3, whose
            sampling grid points to the pixels' outer edges. Default False,
            where a displacement of zero gives exactly x.
        kernel: Side of K in pixels, odd; None, the default, cuts K at 4
            standard deviations.
        std: Standard deviation of K in pixels; None, the default, stands for
            3 * side / 224, as in the original.

    Raises:
        ValueError: for settings out of range.

    Source: Kang et al., Testing Robustness Against Unforeseen Adversaries,
    2019. Its kernels, 25 for a side of 224 and 5 for a side of 32, agree with
    the defaults.
    """

    kernel: int | None = None
    std: float | None = None

    def __post_init__(self):
        super().__post_init__()
        if self.kernel is not None:
            kernel = checks.at_least_one("kernel", self.kernel)
            checks.require(
                kernel % 2,
                "`kernel` must be an odd number of pixels, such as 5.",
                kernel,
            )
        if self.std is not None:
            checks.not_negative("std", self.std)

    def prepare(
        self, images: tf.Tensor, latents: Tensors | None
    ) -> ElasticContext:
        height, width, _ = image_shape(images)
        std = 3 * max(height, width) / 224 if self.std is None else self.std
        rows, columns = (
            np.arange(side, dtype=float) for side in images.shape[1:3]
        )
        if self.reference:
            rows = rows * height / max(height - 1, 1) - 0.5
            columns = columns * width / max(width - 1, 1) - 0.5
        return ElasticContext(
            tf.repeat(tf.zeros_like(images[..., :1]), 2, axis=-1),
            rows[:, None],
            columns[None],
            _blur(height, self.kernel, std),
            _blur(width, self.kernel, std),
        )

    def start(
        self, context: ElasticContext, seed: tf.Tensor | None
    ) -> tf.Tensor:
        still = context.still
        return still if seed is None else self._ball.start(still, seed)

    def apply(
        self, images: tf.Tensor, change: tf.Tensor, context: ElasticContext
    ) -> tf.Tensor:
        # Products with these small matrices are faster than a depthwise
        # convolution.
        smooth = tf.einsum(
            "ih,bhwc,jw->bijc",
            tf.cast(context.smooth_rows, change.dtype),
            change,
            tf.cast(context.smooth_columns, change.dtype),
        )
        return sample(
            images,
            smooth[..., 1] + tf.cast(context.rows, change.dtype),
            smooth[..., 0] + tf.cast(context.columns, change.dtype),
        )

    def update(
        self,
        change: tf.Tensor,
        gradient: tf.Tensor,
        images: tf.Tensor | None,
        iteration: tf.Tensor,
    ) -> tf.Tensor:
        return self._ball.project(self._ball.ascend(change, gradient))

    def measure(self, change: tf.Tensor) -> dict[str, tf.Tensor]:
        return {self.name: self._ball.norm(change)}

    @property
    def _ball(self) -> Linf:
        return Linf(self.budget, self.step)


def _blur(side: int, kernel: int | None, std: float) -> np.ndarray:
    """A Gaussian blur of `side` numbers, as a matrix (side, side)."""
    radius = round(4 * std) if kernel is None else kernel // 2
    offsets = np.arange(-radius, radius + 1)
    taps = np.exp(-0.5 * (offsets / max(std, 1e-6)) ** 2)
    padded = np.pad(np.eye(side), ((radius, radius), (0, 0)), mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, side, axis=0)
    return np.einsum("k,khw->wh", taps / taps.sum(), windows)
