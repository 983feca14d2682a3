"""Convolution and BatchNorm with the settings of PyTorch's residual networks.

Strided convolutions are padded symmetrically; BatchNorm has momentum 0.9
(PyTorch's 0.1) and epsilon 1e-5, and is synchronized in the scope of a
strategy with two or more replicas.
"""

from __future__ import annotations

from collections.abc import Callable

import keras
import tensorflow as tf
from keras import layers

from ijsat_tf.models.ends import fan_in_uniform

Kernel = Callable[[], keras.initializers.Initializer]


def convolution_norm(
    x: keras.KerasTensor,
    channels: int,
    size: int,
    stride: int,
    name: str,
    kernel: Kernel = fan_in_uniform,
) -> keras.KerasTensor:
    """Applies a convolution `{name}_convolution` and its `{name}_norm`.

    Args:
        x: Images or activations (B, H, W, C).
        channels: Number of channels of the output.
        size: Side of the kernel in pixels.
        stride: Stride in pixels.
        name: Beginning of the names of both layers.
        kernel: Function that makes the initializer of the kernel, default
            `fan_in_uniform`.
    """
    x = convolution(x, channels, size, stride, f"{name}_convolution", kernel)
    return norm(x, f"{name}_norm")


def convolution(
    x: keras.KerasTensor,
    channels: int,
    size: int,
    stride: int,
    name: str,
    kernel: Kernel = fan_in_uniform,
) -> keras.KerasTensor:
    """Applies a convolution without bias.

    Args:
        x: Images or activations (B, H, W, C).
        channels: Number of channels of the output.
        size: Side of the kernel in pixels.
        stride: Stride in pixels.
        name: Name of the layer.
        kernel: Function that makes the initializer of the kernel, default
            `fan_in_uniform`.
    """
    if stride > 1 and size > 1:
        # Keras' "same" would pad strided convolutions on one side only.
        x = layers.ZeroPadding2D(size // 2, name=f"{name}_pad")(x)
    return layers.Conv2D(
        channels,
        size,
        stride,
        padding="same" if stride == 1 else "valid",
        use_bias=False,
        kernel_initializer=kernel(),
        name=name,
    )(x)


def norm(
    x: keras.KerasTensor,
    name: str,
    dtype: str | keras.DTypePolicy | None = None,
) -> keras.KerasTensor:
    """Applies a BatchNorm with the constants of this file.

    Args:
        x: Activations (B, H, W, C).
        name: Name of the layer.
        dtype: Dtype policy of the layer; None, the default, stands for the
            global policy of Keras.
    """
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    return layers.BatchNormalization(
        momentum=0.9,
        epsilon=1e-5,
        synchronized=replicas > 1,
        dtype=dtype,
        name=name,
    )(x)


def he_fan_out() -> keras.initializers.Initializer:
    """The initializer N(0, 2 / fan_out) of torchvision's residual networks."""
    return keras.initializers.VarianceScaling(
        2.0, "fan_out", "untruncated_normal"
    )
