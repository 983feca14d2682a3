"""Residual networks with activations before the convolutions."""

from __future__ import annotations

import keras
from keras import layers

from ijsat_tf.models.classifier import Classifier
from ijsat_tf.models.conv_norm import convolution, convolution_norm, norm
from ijsat_tf.models.ends import (
    Normalization,
    check_sizes,
    images_in,
    logits_out,
)
from ijsat_tf.models.residual import stages_out, stem_out


def preact_resnet18(
    classes: int,
    width: int = 64,
    image_shape: tuple[int, int, int] = (32, 32, 3),
    stem: str = "cifar",
    normalization: Normalization | None = None,
    name: str = "preact_resnet18",
) -> Classifier:
    """Builds a ResNet-18 with BatchNorm and ReLU before each convolution.

    With the defaults this is the network of RLAT (11,172,170 weights for 10
    classes). Its stem is a convolution alone. A shortcut with a 1x1
    convolution starts behind the block's first BatchNorm and ReLU (in Fast AT
    before both). One more pair of BatchNorm and ReLU comes before
    the pooling. RLAT and Fast AT normalise their input, see
    `normalization`. Kernels start from U(-1 / sqrt(fan_in), 1 / sqrt(fan_in)),
    as PyTorch's do.

    Args:
        classes: Number K of classes, with one logit per class.
        width: Number of channels of the first stage, default 64; the other
            stages have 2, 4 and 8 times as many.
        image_shape: Shape (H, W, C) of the images, default (32, 32, 3).
        stem: Kind of the stem: `"cifar"`, the default, is a 3x3 convolution;
            `"imagenet"` is a 7x7 convolution of stride 2 with BatchNorm and
            ReLU, and a 3x3 maximum of stride 2. The 7x7 convolution is padded
            by 3, RLAT's own by 1.
        normalization: Pair (mean, deviation), C numbers each, of a
            normalisation inside the network; None, the default, for no
            normalisation.
        name: Name of the model, default "preact_resnet18".

    Returns:
        A built functional model from images (B, H, W, C) in [0, 1] to logits
        (B, K), float32 also under mixed precision, of six `stages`. Built in
        the scope of a strategy with two or more replicas, its BatchNorm is
        synchronized.

    Raises:
        ValueError: for settings out of range.

    Source: He et al., Identity Mappings in Deep Residual Networks, ECCV 2016;
    Wong et al., Fast is Better than Free, ICLR 2020; Kireev et al., On the
    Effectiveness of Adversarial Training against Common Corruptions, UAI 2022.
    """
    check_sizes(classes, width, image_shape)
    inputs, x = images_in(image_shape, normalization)
    x = stem_out(x, width, stem, bare=True)
    x = stages_out(x, _block, (2, 2, 2, 2), width)
    x = layers.ReLU(name="last_relu")(norm(x, "last_norm"))
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return Classifier(inputs, logits_out(x, classes), name=name)


def _block(
    x: keras.KerasTensor, channels: int, stride: int, name: str
) -> keras.KerasTensor:
    shortcut = x
    x = layers.ReLU(name=f"{name}_relu")(norm(x, f"{name}_norm"))
    if stride != 1 or x.shape[-1] != channels:
        # This shortcut starts from x after BatchNorm and ReLU, and a shortcut
        # without a convolution starts from x before BatchNorm.
        shortcut = convolution(x, channels, 1, stride, f"{name}_skip")
    x = convolution_norm(x, channels, 3, stride, f"{name}_1")
    x = layers.ReLU(name=f"{name}_1_relu")(x)
    x = convolution(x, channels, 3, 1, f"{name}_2")
    return layers.Add(name=name)([x, shortcut])
