"""Residual networks with activations after the additions."""

from __future__ import annotations

import functools

import keras
from keras import layers

from ijsat_tf.models.classifier import Classifier
from ijsat_tf.models.conv_norm import convolution_norm, he_fan_out
from ijsat_tf.models.ends import (
    Normalization,
    check_sizes,
    images_in,
    logits_out,
)
from ijsat_tf.models.residual import stages_out, stem_out


def resnet18(
    classes: int,
    width: int = 64,
    image_shape: tuple[int, int, int] = (32, 32, 3),
    stem: str = "cifar",
    normalization: Normalization | None = None,
    name: str = "resnet18",
) -> Classifier:
    """Builds a ResNet-18 with activations after the additions.

    With the defaults this is the network of TRADES and MART (11,173,962
    weights for 10 classes), which does not normalise its input. Kernels
    start from U(-1 / sqrt(fan_in), 1 / sqrt(fan_in)), as PyTorch's do.

    Args:
        classes: Number K of classes, with one logit per class.
        width: Number of channels of the first stage, default 64; the other
            stages have 2, 4 and 8 times as many.
        image_shape: Shape (H, W, C) of the images, default (32, 32, 3).
        stem: Kind of the stem: `"cifar"`, the default, is a 3x3 convolution;
            `"imagenet"` is a 7x7 convolution of stride 2 and a 3x3 maximum of
            stride 2.
        normalization: Pair (mean, deviation), C numbers each, of a
            normalisation inside the network; None, the default, for no
            normalisation.
        name: Name of the model, default "resnet18".

    Returns:
        A built functional model from images (B, H, W, C) in [0, 1] to logits
        (B, K), float32 also under mixed precision, of six `stages`. Built in
        the scope of a strategy with two or more replicas, its BatchNorm is
        synchronized.

    Raises:
        ValueError: for settings out of range.

    Source: He et al., Deep Residual Learning for Image Recognition, CVPR 2016.
    """
    check_sizes(classes, width, image_shape)
    inputs, x = images_in(image_shape, normalization)
    x = stem_out(x, width, stem)
    x = stages_out(x, _basic_block, (2, 2, 2, 2), width)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return Classifier(inputs, logits_out(x, classes), name=name)


def resnet50(
    classes: int,
    width: int = 64,
    image_shape: tuple[int, int, int] = (256, 256, 3),
    stem: str = "imagenet",
    normalization: Normalization | None = None,
    name: str = "resnet50",
) -> Classifier:
    """Builds a ResNet-50 of bottlenecks whose 3x3 convolution has the stride.

    With the defaults this is the network for OM-ImageNet at 256x256 pixels
    (25,557,032 weights for 1,000 classes). As in torchvision's second
    version, the stride is on the 3x3 convolution, not on the 1x1 convolution,
    and kernels start from N(0, 2 / fan_out).

    Args:
        classes: Number K of classes, with one logit per class.
        width: Number of channels inside the bottlenecks of the first stage,
            default 64. The output of the stage has 4 times as many; the other
            stages have 2, 4 and 8 times the channels of the first.
        image_shape: Shape (H, W, C) of the images, default (256, 256, 3).
        stem: Kind of the stem: `"imagenet"`, the default, is a 7x7 convolution
            of stride 2 and a 3x3 maximum of stride 2; `"cifar"` is a 3x3
            convolution.
        normalization: Pair (mean, deviation), C numbers each, of a
            normalisation inside the network; None, the default, for no
            normalisation.
        name: Name of the model, default "resnet50".

    Returns:
        A built functional model from images (B, H, W, C) in [0, 1] to logits
        (B, K), float32 also under mixed precision, of six `stages`. Built in
        the scope of a strategy with two or more replicas, its BatchNorm is
        synchronized.

    Raises:
        ValueError: for settings out of range.

    Source: He et al., Deep Residual Learning for Image Recognition, CVPR 2016;
    torchvision's ResNet-50 V1.5.
    """
    check_sizes(classes, width, image_shape)
    inputs, x = images_in(image_shape, normalization)
    x = stem_out(x, width, stem, he_fan_out)
    x = stages_out(x, _bottleneck, (3, 4, 6, 3), width)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return Classifier(inputs, logits_out(x, classes), name=name)


def _basic_block(
    x: keras.KerasTensor, channels: int, stride: int, name: str
) -> keras.KerasTensor:
    shortcut = x
    if stride != 1 or x.shape[-1] != channels:
        shortcut = convolution_norm(x, channels, 1, stride, f"{name}_skip")
    x = convolution_norm(x, channels, 3, stride, f"{name}_1")
    x = layers.ReLU(name=f"{name}_1_relu")(x)
    x = convolution_norm(x, channels, 3, 1, f"{name}_2")
    x = layers.Add(name=f"{name}_add")([x, shortcut])
    return layers.ReLU(name=name)(x)


def _bottleneck(
    x: keras.KerasTensor, channels: int, stride: int, name: str
) -> keras.KerasTensor:
    pair = functools.partial(convolution_norm, kernel=he_fan_out)
    shortcut = x
    if stride != 1 or x.shape[-1] != 4 * channels:
        shortcut = pair(x, 4 * channels, 1, stride, f"{name}_skip")
    x = pair(x, channels, 1, 1, f"{name}_1")
    x = layers.ReLU(name=f"{name}_1_relu")(x)
    x = pair(x, channels, 3, stride, f"{name}_2")
    x = layers.ReLU(name=f"{name}_2_relu")(x)
    x = pair(x, 4 * channels, 1, 1, f"{name}_3")
    x = layers.Add(name=f"{name}_add")([x, shortcut])
    return layers.ReLU(name=name)(x)
