"""The ends of every classifier: input images in [0, 1], and float32 logits."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral

import keras
import numpy as np

from ijsat_tf.checks import require

Normalization = tuple[Sequence[float], Sequence[float]]


def check_sizes(
    classes: int, width: int, image_shape: tuple[int, int, int]
) -> None:
    """Checks the sizes of a classifier.

    Args:
        classes: Number K of classes, at least 2.
        width: Number of channels of the first stage, at least 1.
        image_shape: Shape (H, W, C) of the images.

    Raises:
        ValueError: for a size that is out of range.
    """

    def integers(*sizes, least):
        return all(isinstance(n, Integral) and n >= least for n in sizes)

    require(
        integers(classes, least=2),
        "`classes` must be an integer of at least 2.",
        classes,
    )
    require(
        integers(width, least=1),
        "`width` must be an integer of at least 1, the channels of the first "
        "stage.",
        width,
    )
    require(
        isinstance(image_shape, (tuple, list))
        and len(image_shape) == 3
        and integers(*image_shape, least=1),
        "`image_shape` must be three positive integers (H, W, C), such as "
        "(32, 32, 3).",
        image_shape,
    )


def images_in(
    image_shape: tuple[int, int, int],
    normalization: Normalization | None = None,
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """The input of a classifier, and the images as its first layer gets them.

    Args:
        image_shape: Shape (H, W, C) of the images.
        normalization: Mean and standard deviation of each channel, to make
            (images - mean) / deviation; None, the default, leaves images in
            [0, 1].

    Returns:
        The input (B, H, W, C), and the normalised images (B, H, W, C).

    Raises:
        ValueError: for another `normalization`.
    """
    inputs = keras.Input(image_shape, name="images")
    if normalization is None:
        return inputs, inputs
    channels = image_shape[-1]
    require(
        isinstance(normalization, (tuple, list))
        and len(normalization) == 2
        and all(np.shape(part) == (channels,) for part in normalization)
        and np.all(np.isfinite(normalization))
        and min(normalization[1]) > 0,
        "`normalization` must be a pair (mean, deviation) of "
        f"{channels} finite numbers each, one number per channel, with "
        "deviations above 0.",
        normalization,
    )
    mean, deviation = map(np.asarray, normalization)
    # The layer computes in float32 also under mixed precision: bfloat16 has no
    # more digits than an image, and must not round before the subtraction.
    normalize = keras.layers.Normalization(
        mean=mean, variance=deviation**2, dtype="float32", name="normalize"
    )
    return inputs, normalize(inputs)


def logits_out(features: keras.KerasTensor, classes: int) -> keras.KerasTensor:
    """Applies a dense layer from features (B, D) to logits (B, K).

    The layer computes in float32 also under mixed precision.

    Args:
        features: Features (B, D).
        classes: Number K of classes.
    """
    limit = features.shape[-1] ** -0.5
    return keras.layers.Dense(
        classes,
        kernel_initializer=fan_in_uniform(),
        bias_initializer=keras.initializers.RandomUniform(-limit, limit),
        dtype="float32",
        name="logits",
    )(features)


def fan_in_uniform() -> keras.initializers.Initializer:
    """The initializer U(-1 / sqrt(fan_in), 1 / sqrt(fan_in)) of PyTorch.

    This is PyTorch's default initializer of kernels. Each layer needs a new
    instance, since one instance repeats its numbers.
    """
    return keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")
