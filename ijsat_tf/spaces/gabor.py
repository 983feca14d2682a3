"""Gabor noise: random spikes, each spread into the same ripples."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from ijsat_tf import seeds
from ijsat_tf.spaces.transform import Pattern, image_shape
from ijsat_tf.types import Tensors, value

SIDE = 23
ORIENTATIONS = 10
SPACING = 14


@value
class Gabor(Pattern):
    """Gabor noise: x^ = x + budget / 255 * normalised(map * kernel).

    One in 14 pixels of the map has a spike in [-1, 1], and the attack changes
    the heights of the spikes. The kernel, drawn for each image, is a sum of 1
    to 10 Gabor functions, exp(-r^2 / (2 s^2)) cos(2 pi f u), of one width s
    and frequency f in evenly spread directions. The noise n = map * kernel, of
    mean m, is evened out,

        n <- m + 1.001 (n - m) / (0.001 + |n - m| / max |n - m|),

    and scaled to [0, 1], so that the noise only brightens the image. Gradients
    treat these factors as constants. All channels have the same noise.

    Args:
        budget: Largest noise, in grey levels of 255, e.g. 12.5.
        step: Length of a step of the heights in [-1, 1]; None, the default,
            stands for 0.0316 / sqrt(steps).
        reference: Whether to behave like the original code, default False. In
            that code the first update removes the spikes and lets every other
            pixel change, and pixels cut off at 1 have no gradient.

    Raises:
        ValueError: for settings out of range.

    Source: Kang et al., Testing Robustness Against Unforeseen Adversaries,
    2019.
    """

    def prepare(self, images: tf.Tensor, latents: Tensors | None) -> tf.Tensor:
        image_shape(images)
        return tf.zeros_like(images[..., 0])

    def start(
        self, context: tf.Tensor, seed: tf.Tensor | None
    ) -> list[tf.Tensor]:
        """The map, a mask of the pixels that may change, and the kernels.

        Map and mask are (B, H, W). The kernels, (B, 23, 23), do not change.
        """
        seed = seeds.derive(0 if seed is None else seed)
        pixels = math.prod(context.shape[1:])
        places = seeds.uniform(context, seeds.derive(seed, "places"))
        least = tf.math.top_k(
            tf.reshape(places, [-1, pixels]), math.ceil(pixels / SPACING)
        ).values[:, -1, None, None]
        spikes = tf.cast(places >= least, context.dtype)
        heights = seeds.uniform(context, seeds.derive(seed, "heights"))
        draws = tf.tile(context[:, :1, 0], [1, 4])
        draws = seeds.uniform(draws, seeds.derive(seed, "kernels"))
        may_change = 1 - spikes if self.reference else spikes
        return [heights * spikes, may_change, kernels(draws)]

    def apply(
        self, images: tf.Tensor, change: list[tf.Tensor], context: tf.Tensor
    ) -> tf.Tensor:
        noise = normalized(convolved(change[0], tf.stop_gradient(change[2])))
        images += self.budget / 255 * noise[..., None]
        return tf.clip_by_value(images, 0, 1) if self.reference else images

    def update(
        self,
        change: list[tf.Tensor],
        gradient: list[tf.Tensor],
        images: tf.Tensor | None,
        iteration: tf.Tensor,
    ) -> list[tf.Tensor]:
        heights, may_change, kept = change
        heights += self.step * tf.sign(gradient[0])
        return [tf.clip_by_value(heights, -1, 1) * may_change, may_change, kept]


def kernels(draws: tf.Tensor) -> tf.Tensor:
    """Sums of Gabor functions (B, 23, 23).

    Args:
        draws: Random numbers (B, 4) in [-1, 1) for the number of directions,
            the width, the frequency and the first direction.
    """
    number, width, frequency, angle = tf.unstack((draws + 1) / 2, axis=1)
    return gabor_kernels(
        tf.floor(ORIENTATIONS * number) + 1,
        0.3 * width + 0.1,
        (SIDE / 4 - 3) * frequency + 3,
        math.pi * angle,
    )


def gabor_kernels(
    number: tf.Tensor, width: tf.Tensor, frequency: tf.Tensor, angle: tf.Tensor
) -> tf.Tensor:
    """Gabor functions summed over `number` directions, (B, 23, 23).

    Args:
        number: Number of directions, 1 to 10, (B,).
        width: Width s for a kernel of side 1, (B,).
        frequency: Number of waves across the kernel, (B,).
        angle: Angle of the first direction in radians, (B,).
    """
    number, width, frequency, angle = (
        part[:, None, None, None] for part in (number, width, frequency, angle)
    )
    line = np.linspace(-0.5, 0.5, SIDE)
    down = tf.constant(line[:, None, None], width.dtype)
    right = tf.constant(line[None, :, None], width.dtype)
    each = tf.range(ORIENTATIONS, dtype=width.dtype)
    turned = angle + math.pi * each / number
    along = right * tf.cos(turned) + down * tf.sin(turned)
    waves = tf.cos(2 * math.pi * frequency * along)
    waves = tf.reduce_sum(tf.where(each < number, waves, 0), axis=-1)
    distance = tf.square(down) + tf.square(right)
    bell = tf.exp(-0.5 * distance / tf.square(width + 1e-3))[..., 0]
    return bell * waves


def convolved(maps: tf.Tensor, kernels: tf.Tensor) -> tf.Tensor:
    """Convolves each map (B, H, W), padded by zeros, with its own kernel.

    Args:
        maps: Maps (B, H, W).
        kernels: Kernels (B, N, N).
    """
    # The batch takes the axis of a depthwise convolution's channels.
    found = tf.nn.depthwise_conv2d(
        tf.transpose(maps, [1, 2, 0])[None],
        tf.transpose(kernels, [1, 2, 0])[..., None],
        strides=[1, 1, 1, 1],
        padding="SAME",
    )
    return tf.ensure_shape(tf.transpose(found[0], [2, 0, 1]), maps.shape)


def normalized(noise: tf.Tensor) -> tf.Tensor:
    """Noise (B, H, W) evened out and scaled to [0, 1]."""

    def over(reduce, numbers: tf.Tensor) -> tf.Tensor:
        return tf.stop_gradient(reduce(numbers, axis=[1, 2], keepdims=True))

    mean = over(tf.reduce_mean, noise)
    distance = tf.stop_gradient(tf.abs(noise - mean))
    distance = tf.math.divide_no_nan(distance, over(tf.reduce_max, distance))
    noise = mean + (noise - mean) * 1.001 / (0.001 + distance)
    least, most = over(tf.reduce_min, noise), over(tf.reduce_max, noise)
    return tf.math.divide_no_nan(noise - least, most - least)
