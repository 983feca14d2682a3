"""Fog: a random map of clouds, drawn from coarse to fine."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from ijsat_tf import checks, seeds
from ijsat_tf.spaces.transform import Pattern, image_shape
from ijsat_tf.types import Tensors, value


class FogContext(NamedTuple):
    """Constants of the fog for a batch.

    Attributes:
        levels: Zeros of the change's shapes, one (B, n, n, 3) for each
            n = 1, 2, 4, ...
        height: Height of the images in pixels.
        width: Width of the images in pixels.
    """

    levels: list[tf.Tensor]
    height: int
    width: int


@value
class Fog(Pattern):
    """Fog: x^ = (x + e fog) / (max x + e), e = budget / 255, fog in [0, 1].

    The fog is a map of the diamond-square algorithm. Each point of the map is
    the mean of four neighbours plus a random part, which is halved at each
    finer level. The attack changes the random parts, within fixed bounds. The
    map is larger than the image, which is covered by the middle of the map.
    The map is scaled to [0, 1] by its own least and largest number. max x is
    taken for each channel.

    Args:
        budget: Density of the fog, in grey levels of 255, e.g. 128. At 0 each
            channel is stretched to reach 1.
        step: Length of a step of the random parts in [0, 1]; None, the
            default, stands for 0.0316 / sqrt(steps).
        reference: Whether to behave like the original code, default False. That
            code scales the map by the least and the largest number of the
            whole batch, so that an image's fog depends on the other images,
            and takes a second diamond neighbour that is two points away rather
            than one point.
        map_size: Side of the map, a power of 2 from 2 on; None, the default,
            stands for the first power larger than the image's longer side.

    Raises:
        ValueError: for settings out of range, or a map smaller than the
            image.

    Source: Kang et al., Testing Robustness Against Unforeseen Adversaries,
    2019.
    """

    map_size: int | None = None

    def __post_init__(self):
        super().__post_init__()
        size = self.map_size
        checks.require(
            size is None
            or (isinstance(size, int) and size > 1 and size.bit_count() == 1),
            "`map_size` must be a power of 2, such as 64, or None.",
            repr(size),
        )

    @property
    def by_sample(self) -> bool:
        return not self.reference

    def prepare(self, images: tf.Tensor, latents: Tensors | None) -> FogContext:
        height, width, _ = image_shape(images)
        side = max(height, width)
        size = (
            2 ** side.bit_length() if self.map_size is None else self.map_size
        )
        checks.require(
            size >= side,
            f"`map_size` must be at least the images' longer side, {side}.",
            size,
        )
        pixel = tf.zeros_like(images[:, :1, :1, :1])
        levels = [
            tf.tile(pixel, [1, 2**level, 2**level, 3])
            for level in range(size.bit_length() - 1)
        ]
        return FogContext(levels, height, width)

    def start(
        self, context: FogContext, seed: tf.Tensor | None
    ) -> list[tf.Tensor]:
        seed = seeds.derive(0 if seed is None else seed)
        return [
            (seeds.uniform(level, seeds.derive(seed, number)) + 1) / 2
            for number, level in enumerate(context.levels)
        ]

    def apply(
        self, images: tf.Tensor, change: list[tf.Tensor], context: FogContext
    ) -> tf.Tensor:
        fog = self._map(change)
        top = (fog.shape[1] - context.height) // 2
        left = (fog.shape[2] - context.width) // 2
        fog = fog[:, top : top + context.height, left : left + context.width]
        density = self.budget / 255
        brightest = tf.reduce_max(images, axis=[1, 2], keepdims=True)
        return tf.math.divide_no_nan(
            images + density * fog[..., None], brightest + density
        )

    def update(
        self,
        change: list[tf.Tensor],
        gradient: list[tf.Tensor],
        images: tf.Tensor | None,
        iteration: tf.Tensor,
    ) -> list[tf.Tensor]:
        return [
            tf.clip_by_value(part + self.step * tf.sign(slope), 0, 1)
            for part, slope in zip(change, gradient)
        ]

    def _map(self, change: list[tf.Tensor]) -> tf.Tensor:
        """The fog (B, M, M), where M is twice the side of the last level."""
        aside = 2 if self.reference else 1
        heights = tf.zeros_like(change[0][..., 0])
        for level, part in enumerate(change):
            random = tf.unstack((2 * part - 1) * 100 / 2**level, axis=-1)
            below = tf.roll(heights, -1, axis=1)
            right = tf.roll(heights, -1, axis=2)
            diagonal = tf.roll(right, -1, axis=1)
            middles = (heights + below + right + diagonal) / 4 + random[0]
            tops = (
                middles + tf.roll(middles, aside, axis=1) + heights + right
            ) / 4 + random[1]
            lefts = (
                middles + tf.roll(middles, aside, axis=2) + heights + below
            ) / 4 + random[2]
            finer = tf.stack([heights, tops, lefts, middles], axis=-1)
            heights = tf.nn.depth_to_space(finer, 2)[..., 0]
        axes = None if self.reference else [1, 2]
        above = heights - tf.reduce_min(heights, axis=axes, keepdims=True)
        highest = tf.reduce_max(above, axis=axes, keepdims=True)
        return tf.math.divide_no_nan(above, highest)
