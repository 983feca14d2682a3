"""The residual networks of SNGAN: a generator and its discriminator."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import layers

from ijsat_tf.generators.spectral_norm import SpectralConv2D, xavier
from ijsat_tf.models.conv_norm import norm

_GAIN = math.sqrt(2)
_BASE = 4


def doublings(side: int) -> int:
    """The number n of doublings to a side of 4 * 2^n pixels."""
    return int(math.log2(side / _BASE))


def generator(
    image_shape: tuple[int, int, int],
    latent_size: int,
    width: int,
    dtype: keras.DTypePolicy,
) -> keras.Model:
    """Builds a model from latents (B, latent_size) to images (B, H, W, C).

    Images are in [-1, 1]. The layers are a dense layer to 4x4, residual blocks
    that double the sides, then BatchNorm, ReLU, convolution and tanh.

    Args:
        image_shape: Shape (S, S, C) of the images with S = 4 * 2^n.
        latent_size: Size of the latents.
        width: Number of channels of all hidden layers.
        dtype: Dtype policy of all but the last convolution, which computes in
            float32: images have 256 levels, and bfloat16 has fewer.
    """
    latents = layers.Input((latent_size,), name="latents")
    x = layers.Dense(
        _BASE * _BASE * width, kernel_initializer=xavier(), dtype=dtype
    )(latents)
    x = layers.Reshape((_BASE, _BASE, width), dtype=dtype)(x)
    for number in range(1, doublings(image_shape[0]) + 1):
        x = _up(x, width, f"block{number}", dtype)
    x = _norm_relu(x, "norm", dtype)
    x = _conv(x, image_shape[-1], 3, 1.0, "pixels", "float32")
    x = layers.Activation("tanh", dtype="float32", name="images")(x)
    return keras.Model(latents, x, name="generator")


def discriminator(
    image_shape: tuple[int, int, int], width: int, dtype: keras.DTypePolicy
) -> keras.Model:
    """Builds a model from images (B, H, W, C) to numbers (B, 1).

    Images are in [-1, 1]; real images get larger numbers. The layers are
    residual blocks that halve the sides down to 8 (one block at least), two
    more residual blocks, ReLU, a sum over the pixels and a linear form. All
    kernels are spectrally normalised.

    Args:
        image_shape: Shape (S, S, C) of the images with S = 4 * 2^n.
        width: Number of channels of all hidden layers.
        dtype: Dtype policy of all but the linear form, which computes in
            float32.
    """
    images = layers.Input(image_shape, name="images")
    halvings = max(1, doublings(image_shape[0]) - 1)
    x = images
    for number in range(1, halvings + 3):
        x = _down(x, width, number, number <= halvings, dtype)
    x = layers.ReLU(dtype=dtype)(x)
    x = keras.ops.sum(keras.ops.cast(x, "float32"), (1, 2), keepdims=True)
    # On one pixel, a convolution is a linear form.
    x = SpectralConv2D(1, 1, use_bias=False, dtype="float32", name="linear")(x)
    x = layers.Flatten(dtype="float32", name="outputs")(x)
    return keras.Model(images, x, name="discriminator")


def _up(
    x: keras.KerasTensor, width: int, name: str, dtype: Any
) -> keras.KerasTensor:
    # A 1x1 convolution commutes with copying pixels, and is cheaper on the
    # small image.
    shortcut = _conv(x, width, 1, 1.0, f"{name}_shortcut", dtype)
    shortcut = layers.UpSampling2D(dtype=dtype)(shortcut)
    x = _norm_relu(x, f"{name}_norm1", dtype)
    x = layers.UpSampling2D(dtype=dtype)(x)
    x = _conv(x, width, 3, _GAIN, f"{name}_conv1", dtype)
    x = _norm_relu(x, f"{name}_norm2", dtype)
    x = _conv(x, width, 3, _GAIN, f"{name}_conv2", dtype)
    return layers.Add(dtype=dtype)([x, shortcut])


def _down(
    x: keras.KerasTensor, width: int, number: int, halve: bool, dtype: Any
) -> keras.KerasTensor:
    def conv(x, size, gain, part):
        name = f"block{number}_{part}"
        return SpectralConv2D(width, size, gain, dtype=dtype, name=name)(x)

    def pooled(x):
        return layers.AveragePooling2D(2, dtype=dtype)(x) if halve else x

    # As in the generator, pooling first gives the same and is cheaper.
    shortcut = conv(pooled(x), 1, 1.0, "shortcut") if halve else x
    if number > 1:
        x = layers.ReLU(dtype=dtype)(x)  # A ReLU of images would lose signs.
    x = conv(x, 3, _GAIN, "conv1")
    x = conv(layers.ReLU(dtype=dtype)(x), 3, _GAIN, "conv2")
    return layers.Add(dtype=dtype)([pooled(x), shortcut])


def _norm_relu(
    x: keras.KerasTensor, name: str, dtype: Any
) -> keras.KerasTensor:
    return layers.ReLU(dtype=dtype)(norm(x, name, dtype))


def _conv(
    x: keras.KerasTensor,
    channels: int,
    size: int,
    gain: float,
    name: str,
    dtype: Any,
) -> keras.KerasTensor:
    return layers.Conv2D(
        channels,
        size,
        padding="same",
        kernel_initializer=xavier(gain),
        dtype=dtype,
        name=name,
    )(x)
