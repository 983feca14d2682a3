"""Snow: flakes on a grid, blurred along the direction in which they fall."""

from __future__ import annotations

import math
from typing import NamedTuple

import tensorflow as tf

from ijsat_tf import seeds
from ijsat_tf.spaces import motion
from ijsat_tf.spaces.transform import Pattern, image_shape
from ijsat_tf.types import Tensors, value

# Rows and columns (mod 4) where the flakes of the seven kinds lie.
PLACES = ((0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (2, 0), (3, 0))
MEAN = 0.2
BLOCK = 8


class SnowContext(NamedTuple):
    """Constants of the snow for a batch.

    Attributes:
        still: Intensities of zero, (B, H / 4, W / 4, 7).
        height: Height of the images in pixels.
        width: Width of the images in pixels.
    """

    still: tf.Tensor
    height: int
    width: int


@value
class Snow(Pattern):
    """Snow: x^ = 3/4 x + 1/4 max(x, 3/2 grey(x) + 1/2) + budget * snow.

    snow = sum_i K_i * flakes(I_i^4) has seven kinds of flakes. Each kind lies
    on a grid of every fourth pixel, and is blurred by a random motion kernel
    K_i. The attack changes the intensities I, which are in [0, 1] and at most
    0.2 in the mean over each kind's blocks of 8 x 8 flakes. The image is
    whitened with every budget, also with 0. grey is the luminance of a colour
    image, otherwise the mean of the channels. The snow is white.

    Args:
        budget: Brightness of the brightest flake, in [0, 1].
        step: Length of a step of I in [0, 1]; None, the default, stands for
            0.0316 / sqrt(steps).
        reference: Whether to behave like the original code, default False. In
            that code all images of a batch have the same kernels, neither the
            first nor the last I is projected into the bounds, and pixels cut
            off at 1 have no gradient.

    Raises:
        ValueError: for settings out of range.

    Source: Kang et al., Testing Robustness Against Unforeseen Adversaries,
    2019.
    """

    def prepare(
        self, images: tf.Tensor, latents: Tensors | None
    ) -> SnowContext:
        height, width, _ = image_shape(images)
        pixel = tf.zeros_like(images[:, :1, :1, :1])
        grid = [math.ceil(side / 4) for side in (height, width)]
        return SnowContext(
            tf.tile(pixel, [1, *grid, len(PLACES)]), height, width
        )

    def start(
        self, context: SnowContext, seed: tf.Tensor | None
    ) -> list[tf.Tensor]:
        seed = seeds.derive(0 if seed is None else seed)
        uniform = seeds.uniform(context.still, seeds.derive(seed, "flakes"))
        intensities = tf.exp(-(uniform + 1) / 2 / MEAN)
        if not self.reference:
            intensities = _project(intensities)
        draws = tf.tile(context.still[:, :1, :1, :, None], [1, 1, 1, 1, 4])
        draws, seed = draws[:, 0, 0], seeds.derive(seed, "kernels")
        if self.reference:
            # The whole batch has one draw, also where a replica has a part.
            draws += tf.random.stateless_uniform(
                draws.shape[1:], seed, -1.0, 1.0, draws.dtype
            )
        else:
            draws = seeds.uniform(draws, seed)
        return [intensities, filters(motion.kernels(draws))]

    def apply(
        self, images: tf.Tensor, change: list[tf.Tensor], context: SnowContext
    ) -> tf.Tensor:
        snow = _fall(change[0], tf.stop_gradient(change[1]))
        snow = snow[:, : context.height, : context.width]
        if images.shape[-1] == 3:
            weights = tf.constant([0.2126, 0.7152, 0.0722], images.dtype)
            grey = tf.reduce_sum(images * weights, axis=-1, keepdims=True)
        else:
            grey = tf.reduce_mean(images, axis=-1, keepdims=True)
        white = tf.maximum(images, 1.5 * grey + 0.5)
        images = 0.75 * images + 0.25 * white + self.budget * snow
        return tf.clip_by_value(images, 0, 1) if self.reference else images

    def update(
        self,
        change: list[tf.Tensor],
        gradient: list[tf.Tensor],
        images: tf.Tensor | None,
        iteration: tf.Tensor,
    ) -> list[tf.Tensor]:
        (intensities, kept), direction = change, tf.sign(gradient[0])
        if self.reference:
            # The original code steps from the projected intensities, and takes
            # the derivative of I^4 there, which is positive.
            direction *= tf.sign(intensities)
            intensities = tf.where(
                iteration == 0, intensities, _project(intensities)
            )
            return [intensities + self.step * direction, kept]
        return [_project(intensities + self.step * direction), kept]


def filters(kernels: tf.Tensor) -> tf.Tensor:
    """The kernels as matrices from flakes to pixels, (B, 175, 16).

    A matrix leads from 5 x 5 flakes of seven kinds to the 4 x 4 pixels at the
    middle flake.

    Args:
        kernels: Motion kernels (B, 7, 13, 13).
    """
    framed = tf.pad(kernels, [[0, 0], [0, 0], [5, 5], [5, 5]])
    kinds = []
    for kind, (row, column) in enumerate(PLACES):
        part = framed[:, kind, row : row + 20, column : column + 20]
        # The index into a kernel grows with the flake's place and falls with
        # the pixel's place in its block, so the pixel axes are reversed.
        kinds.append(tf.reverse(tf.reshape(part, [-1, 5, 4, 5, 4]), [2, 4]))
    matrix = tf.transpose(tf.stack(kinds, 5), [0, 1, 3, 5, 2, 4])
    return tf.reshape(matrix, [-1, 25 * len(PLACES), 16])


def _fall(intensities: tf.Tensor, filters: tf.Tensor) -> tf.Tensor:
    """The snow (B, 4 h, 4 w, 1) of intensities (B, h, w, 7)."""
    _, rows, columns, kinds = intensities.shape
    flakes = tf.square(tf.square(intensities))
    flakes = tf.pad(flakes, [[0, 0], [2, 2], [2, 2], [0, 0]])
    flakes = tf.stack(
        [flakes[:, :, column : column + columns] for column in range(5)], 3
    )
    flakes = tf.stack([flakes[:, row : row + rows] for row in range(5)], 3)
    flakes = tf.reshape(flakes, [-1, rows * columns, 25 * kinds])
    pixels = tf.reshape(flakes @ filters, [-1, rows, columns, 16])
    return tf.nn.depth_to_space(pixels, 4)


def _project(intensities: tf.Tensor) -> tf.Tensor:
    # At 0 the fourth power would have no slope.
    intensities = tf.clip_by_value(intensities, 1e-9, 1.0)
    _, rows, columns, kinds = intensities.shape
    blocks = [math.ceil(side / BLOCK) for side in (rows, columns)]
    spare = [
        [0, count * BLOCK - side]
        for count, side in zip(blocks, (rows, columns))
    ]

    def sums(numbers: tf.Tensor) -> tf.Tensor:
        padded = tf.pad(numbers, [[0, 0], *spare, [0, 0]])
        shape = [-1, blocks[0], BLOCK, blocks[1], BLOCK, kinds]
        return tf.reduce_sum(tf.reshape(padded, shape), axis=[2, 4])

    mean = sums(intensities) / sums(tf.ones_like(intensities[:1]))
    factor = MEAN / tf.maximum(mean, MEAN)
    for axis in (1, 2):
        factor = tf.repeat(factor, BLOCK, axis=axis)
    return intensities * factor[:, :rows, :columns]
