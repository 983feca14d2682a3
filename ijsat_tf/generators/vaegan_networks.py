"""The convolutional networks of VAE-GAN: encoder, decoder, discriminator.

Each halving or doubling of the sides doubles or halves the channels. The
source's convolutions before BatchNorm have a bias too, which BatchNorm cancels.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from ijsat_tf.models.conv_norm import norm


def halvings(image_shape: tuple[int, int, int], least: int) -> int:
    """How often both sides can be halved to no less than `least` pixels."""
    sides, count = image_shape[:2], 0
    while all(side % 2 == 0 and side // 2 >= least for side in sides):
        sides, count = [side // 2 for side in sides], count + 1
    return count


def encoder(
    image_shape: tuple[int, int, int], latent_size: int, width: int, dtype: Any
) -> keras.Model:
    """Builds a model from images (B, H, W, C) to means and log variances.

    Both outputs have shape (B, latent_size).

    Args:
        image_shape: Shape (H, W, C) of the images.
        latent_size: Size of a code.
        width: Number of channels of the first layer.
        dtype: Dtype policy of all but the outputs, which are float32.
    """
    images = layers.Input(image_shape, name="images")
    x = _features(images, image_shape, width, 4, _small(), dtype)
    outputs = [
        layers.Dense(
            latent_size,
            kernel_initializer=_kaiming(),
            dtype="float32",
            name=name,
        )(x)
        for name in ("mean", "log_variance")
    ]
    return keras.Model(images, outputs, name="encoder")


def decoder(
    image_shape: tuple[int, int, int], latent_size: int, width: int, dtype: Any
) -> keras.Model:
    """Builds a model from codes (B, latent_size) to images (B, H, W, C).

    Images are in [0, 1].

    Args:
        image_shape: Shape (H, W, C) of the images.
        latent_size: Size of a code.
        width: Number of channels before the last layer.
        dtype: Dtype policy of all but the last layer, which computes in
            float32: images have 256 levels, and bfloat16 has fewer.
    """
    height, across, channels = image_shape
    count = halvings(image_shape, least=3)
    base = height >> count, across >> count, width << (count - 1)
    codes = layers.Input((latent_size,), name="codes")
    x = layers.Dense(
        base[0] * base[1] * base[2], kernel_initializer=_small(), dtype=dtype
    )(codes)
    x = layers.Reshape(base, dtype=dtype)(x)

    def doubled(x, channels, dtype, use_bias):
        return layers.Conv2DTranspose(
            channels,
            6,
            strides=2,
            padding="same",
            use_bias=use_bias,
            kernel_initializer=_small(),
            dtype=dtype,
        )(x)

    for number in reversed(range(count - 1)):
        x = doubled(x, width << number, dtype, use_bias=False)
        x = layers.ReLU(dtype=dtype)(norm(x, f"norm{number}", dtype))
    x = layers.Activation("sigmoid", dtype="float32", name="images")(
        doubled(x, channels, "float32", use_bias=True)
    )
    return keras.Model(codes, x, name="decoder")


def discriminator(
    image_shape: tuple[int, int, int], width: int, dtype: Any
) -> keras.Model:
    """Builds a model from images (B, H, W, C) to logits (B, 1) of being real.

    Args:
        image_shape: Shape (H, W, C) of the images.
        width: Number of channels of the first layer.
        dtype: Dtype policy of all but the two dense layers, which are float32.
    """
    images = layers.Input(image_shape, name="images")
    x = _features(images, image_shape, width, 6, _kaiming(), dtype)
    for units in (10, 1):
        x = layers.Dense(units, kernel_initializer=_kaiming(), dtype="float32")(
            x
        )
    return keras.Model(images, x, name="discriminator")


def _features(
    x: keras.KerasTensor,
    image_shape: tuple[int, int, int],
    width: int,
    size: int,
    kernel: keras.initializers.Initializer,
    dtype: Any,
) -> keras.KerasTensor:
    for number in range(halvings(image_shape, least=2)):
        x = layers.Conv2D(
            width << number,
            size,
            strides=2,
            padding="same",
            use_bias=False,
            kernel_initializer=kernel.clone(),
            dtype=dtype,
        )(x)
        x = layers.ReLU(dtype=dtype)(norm(x, f"norm{number}", dtype))
    return layers.Flatten(dtype=dtype)(x)


def _small() -> keras.initializers.Initializer:
    return keras.initializers.RandomNormal(stddev=1e-3)


def _kaiming() -> keras.initializers.Initializer:
    # PyTorch's initializer for a leaky ReLU of slope sqrt(2), as in the
    # source.
    return keras.initializers.VarianceScaling(
        2 / 3, "fan_in", "untruncated_normal"
    )
