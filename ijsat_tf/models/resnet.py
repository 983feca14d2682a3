"""Residual networks.

The constants are those of the PyTorch networks that the compared methods
were published with: symmetric padding of strided convolutions, BatchNorm of
momentum 0.9 (PyTorch's 0.1) and epsilon 1e-5, kernels from
U(-1 / sqrt(fan_in), 1 / sqrt(fan_in)).
"""

from __future__ import annotations

import keras
import tensorflow as tf
from keras import layers

from ijsat_tf.checks import require
from ijsat_tf.models.ends import (
    Normalization,
    check_sizes,
    fan_in_uniform,
    images_in,
    logits_out,
)


def resnet18(
    classes: int,
    width: int = 64,
    image_shape: tuple[int, int, int] = (32, 32, 3),
    stem: str = "cifar",
    normalization: Normalization | None = None,
    name: str = "resnet18",
) -> keras.Model:
    """ResNet-18 with activations after the additions.

    With the defaults this is the network of TRADES and MART (11,173,962
    weights for 10 classes), which does not normalise its input.

    Args:
        classes: K, the number of logits.
        width: channels of the first stage; the others have 2, 4 and 8 times
            as many.
        image_shape: (H, W, C).
        stem: `"cifar"`, a 3x3 convolution, or `"imagenet"`, a 7x7 one of
            stride 2 and a 3x3 maximum of stride 2.
        normalization: (mean, deviation), C numbers each, of a normalisation
            inside the network; by default none.
        name: the model's name.

    Returns:
        A built functional model from images (B, H, W, C) in [0, 1] to logits
        (B, K), float32 also under mixed precision. Built in the scope of a
        strategy with two or more replicas, its BatchNorm is synchronized.

    Raises:
        ValueError: for settings that are no network.

    Reference: He et al., Deep Residual Learning for Image Recognition,
        CVPR 2016.
    """
    check_sizes(classes, width, image_shape)
    inputs, x = images_in(image_shape, normalization)
    x = _stem(x, width, stem)
    for stage, stride in enumerate((1, 2, 2, 2)):
        channels = width * 2**stage
        x = _basic_block(x, channels, stride, f"stage{stage + 1}_block1")
        x = _basic_block(x, channels, 1, f"stage{stage + 1}_block2")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, logits_out(x, classes), name=name)


def _stem(x: keras.KerasTensor, width: int, stem: str) -> keras.KerasTensor:
    require(
        stem in ("cifar", "imagenet"),
        "`stem` must be 'cifar' or 'imagenet'.",
        repr(stem),
    )
    if stem == "cifar":
        return _relu(_convolution_norm(x, width, 3, 1, "stem"), "stem")
    x = _relu(_convolution_norm(x, width, 7, 2, "stem"), "stem")
    # Padding with zeros is safe for a maximum after a ReLU.
    x = layers.ZeroPadding2D(1, name="stem_maximum_pad")(x)
    return layers.MaxPooling2D(3, 2, name="stem_maximum")(x)


def _basic_block(
    x: keras.KerasTensor, channels: int, stride: int, name: str
) -> keras.KerasTensor:
    shortcut = x
    if stride != 1 or x.shape[-1] != channels:
        shortcut = _convolution_norm(x, channels, 1, stride, f"{name}_skip")
    x = _convolution_norm(x, channels, 3, stride, f"{name}_1")
    x = _relu(x, f"{name}_1")
    x = _convolution_norm(x, channels, 3, 1, f"{name}_2")
    x = layers.Add(name=f"{name}_add")([x, shortcut])
    return _relu(x, name)


def _convolution_norm(
    x: keras.KerasTensor, channels: int, size: int, stride: int, name: str
) -> keras.KerasTensor:
    if stride > 1 and size > 1:
        # Keras' "same" would pad strided convolutions on one side only.
        x = layers.ZeroPadding2D(size // 2, name=f"{name}_pad")(x)
    x = layers.Conv2D(
        channels,
        size,
        stride,
        padding="same" if stride == 1 else "valid",
        use_bias=False,
        kernel_initializer=fan_in_uniform(),
        name=f"{name}_convolution",
    )(x)
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    return layers.BatchNormalization(
        momentum=0.9,
        epsilon=1e-5,
        synchronized=replicas > 1,
        name=f"{name}_norm",
    )(x)


def _relu(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return layers.ReLU(name=f"{name}_relu")(x)
