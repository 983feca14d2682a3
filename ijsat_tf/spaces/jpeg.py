"""Changes of the JPEG coefficients of an image."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from ijsat_tf import checks
from ijsat_tf.spaces import frank_wolfe
from ijsat_tf.spaces.balls import L2, Ball, Linf
from ijsat_tf.spaces.l1 import L1
from ijsat_tf.spaces.transform import Unforeseen, image_shape
from ijsat_tf.types import Tensors, value

BOUND = 2.0
_BALLS = {"linf": Linf, "l2": L2, "l1": L1}

# The matrices of JFIF from red, green and blue to luminance and two
# chrominances, and back.
TO_YCC = np.array(
    [
        [0.299, 0.587, 0.114],
        [-0.168736, -0.331264, 0.5],
        [0.5, -0.418688, -0.081312],
    ]
).T
TO_RGB = np.array(
    [[1.0, 0.0, 1.402], [1.0, -0.344136, -0.714136], [1.0, 1.772, 0.0]]
).T
# The steps of quantisation that the standard proposes (its Annex K).
LUMINANCE = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)
CHROMINANCE = np.full((8, 8), 99)
CHROMINANCE[:4, :4] = [
    [17, 18, 24, 47],
    [18, 21, 26, 66],
    [24, 26, 56, 99],
    [47, 66, 99, 99],
]


@value
class JPEG(Unforeseen):
    """Changes of JPEG coefficients: x^ = x' + IDCT(Q * c / 2), c in a ball.

    x' is x with the two chrominances averaged over 2x2 pixels, as in JPEG, so
    that x^ differs from x even where c is 0. c are the changes of the
    coefficients of blocks of 8x8 pixels, and Q is the standard's quantisation
    table: c = 1 is half a step of quantisation. Nothing is rounded, so the
    image's own coefficients need not be computed. Images are extended at the
    edge to a multiple of 16 pixels, and cropped afterwards. Images without
    three channels have no chrominances: each channel is a luminance, and a
    multiple of 8 pixels is enough.

    Args:
        budget: Bound of the norm of c, in half steps of quantisation.
        step: Length of a step, in half steps of quantisation; None, the
            default, stands for budget / sqrt(steps). "l1" takes no step.
        reference: Whether to behave like the original code, default False. That
            code takes the first gradient at `budget` times the start, measures
            the room to |c_i| = 2 from c rather than from 0 in the l1 search,
            and has no gradient at pixels cut off at 0 or 1.
        norm: Norm of c, "linf", "l2" or "l1"; default "linf". With "l2" and
            "l1", |c_i| <= 2 as well. "l1" is searched by Frank-Wolfe,
            c <- c + (s - c) / (iteration + 1), with s the ball's farthest
            point along the gradient.

    Raises:
        ValueError: for settings out of range, or an l1 search with a step.

    Source: Kang et al., Testing Robustness Against Unforeseen Adversaries,
    2019.
    """

    norm: str = "linf"

    def __post_init__(self):
        super().__post_init__()
        checks.require(
            self.norm in tuple(_BALLS),
            "`norm` must be 'linf', 'l2' or 'l1'.",
            repr(self.norm),
        )
        checks.require(
            self.norm != "l1" or self.step is None,
            "`step` must be None with the norm 'l1', whose search chooses its "
            "own steps; leave `step` out.",
            self.step,
        )

    def with_steps(self, steps: int) -> JPEG:
        return self if self.norm == "l1" else super().with_steps(steps)

    def prepare(
        self, images: tf.Tensor, latents: Tensors | None
    ) -> list[tf.Tensor]:
        """The change c = 0 of the luminance and of the chrominances.

        The luminance has the shape (B, H / 8, W / 8, 64 or 64 C), and the
        chrominances have (B, H / 16, W / 16, 128). The coefficients of a block
        are in order of rows.
        """
        height, width, channels = image_shape(images)
        planes = [(8, channels)] if channels != 3 else [(8, 1), (16, 2)]
        multiple = planes[-1][0]

        def zeros(side: int, count: int) -> tf.Tensor:
            rows, columns = (
                math.ceil(length / multiple) * multiple // side
                for length in (height, width)
            )
            pixel = tf.zeros_like(images[:, :1, :1, :1])
            return tf.tile(pixel, [1, rows, columns, 64 * count])

        return [zeros(*plane) for plane in planes]

    def start(
        self, context: list[tf.Tensor], seed: tf.Tensor | None
    ) -> list[tf.Tensor]:
        if seed is None:
            return context
        # `update` removes this factor of the reference at its first call.
        return [part * self._first for part in self._ball.start(context, seed)]

    def apply(
        self,
        images: tf.Tensor,
        change: list[tf.Tensor],
        context: list[tf.Tensor],
    ) -> tf.Tensor:
        height, width, channels = image_shape(images)
        multiple = 8 if channels != 3 else 16
        for axis, side in ((1, height), (2, width)):
            if side % multiple:
                places = range(math.ceil(side / multiple) * multiple)
                places = [min(place, side - 1) for place in places]
                images = tf.gather(images, places, axis=axis)
        if channels == 3:
            planes = tf.tensordot(images, _constant(TO_YCC, images), 1)
            luminance, chrominances = tf.split(planes, [1, 2], axis=-1)
            chrominances = tf.nn.avg_pool2d(chrominances, 2, 2, "VALID")
            chrominances += _waves(change[1], CHROMINANCE)
            for axis in (1, 2):
                chrominances = tf.repeat(chrominances, 2, axis=axis)
            luminance += _waves(change[0], LUMINANCE)
            planes = tf.concat([luminance, chrominances], axis=-1)
            images = tf.tensordot(planes, _constant(TO_RGB, images), 1)
        else:
            images += _waves(change[0], LUMINANCE)
        images = images[:, :height, :width]
        return tf.clip_by_value(images, 0, 1) if self.reference else images

    def update(
        self,
        change: list[tf.Tensor],
        gradient: list[tf.Tensor],
        images: tf.Tensor | None,
        iteration: tf.Tensor,
    ) -> list[tf.Tensor]:
        if self.reference and self.budget:
            factor = tf.where(iteration == 0, 1 / self._first, 1.0)
            change = [part * tf.cast(factor, part.dtype) for part in change]
        if self.norm == "l1":
            return frank_wolfe.update(
                change,
                gradient,
                self.budget,
                BOUND,
                iteration,
                from_change=self.reference,
            )
        change = self._ball.project(self._ball.ascend(change, gradient))
        if self.norm == "l2":
            change = [tf.clip_by_value(part, -BOUND, BOUND) for part in change]
        return change

    def measure(self, change: list[tf.Tensor]) -> dict[str, tf.Tensor]:
        return {self.name: self._ball.norm(change)}

    @property
    def _ball(self) -> Ball:
        return _BALLS[self.norm](self.budget, self.step)

    @property
    def _first(self) -> float:
        return self.budget if self.reference else 1.0


def _waves(coefficients: tf.Tensor, table: np.ndarray) -> tf.Tensor:
    """The pixels (B, H, W, C) of coefficients (B, H / 8, W / 8, 64 C)."""
    steps, places = np.meshgrid(np.arange(8), np.arange(8), indexing="ij")
    cosines = np.cos((2 * places + 1) * steps * math.pi / 16) / 2
    cosines[0] /= math.sqrt(2)
    matrix = table.reshape(64, 1) / 2 / 255 * np.kron(cosines, cosines)
    matrix = np.kron(matrix, np.eye(coefficients.shape[-1] // 64))
    pixels = tf.tensordot(coefficients, _constant(matrix, coefficients), 1)
    return tf.nn.depth_to_space(pixels, 8)


def _constant(array: np.ndarray, like: tf.Tensor) -> tf.Tensor:
    return tf.constant(array, like.dtype)
