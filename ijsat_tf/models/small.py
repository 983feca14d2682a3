"""A small convolutional network, for small images and short experiments."""

from __future__ import annotations

from keras import layers

from ijsat_tf.models.classifier import Classifier
from ijsat_tf.models.ends import (
    Normalization,
    check_sizes,
    images_in,
    logits_out,
)


def small_cnn(
    classes: int,
    width: int = 32,
    image_shape: tuple[int, int, int] = (8, 8, 1),
    normalization: Normalization | None = None,
    name: str = "small_cnn",
) -> Classifier:
    """Builds a small network of four 3x3 convolutions and a dense layer.

    The convolutions have ReLU, and the third has stride 2.

    Args:
        classes: Number K of classes, with one logit per class.
        width: Number of channels of the first two convolutions, default 32;
            the other two have twice as many.
        image_shape: Shape (H, W, C) of the images, default (8, 8, 1).
        normalization: Pair (mean, deviation), C numbers each, of a
            normalisation inside the network; None, the default, for no
            normalisation.
        name: Name of the model, default "small_cnn".

    Returns:
        A built functional model from images (B, H, W, C) in [0, 1] to logits
        (B, K), float32 also under mixed precision, of five `stages`.

    Raises:
        ValueError: for settings out of range.
    """
    check_sizes(classes, width, image_shape)
    inputs, x = images_in(image_shape, normalization)
    for stage, (channels, stride) in enumerate(
        ((width, 1), (width, 1), (2 * width, 2), (2 * width, 1)), start=1
    ):
        x = layers.Conv2D(
            channels,
            3,
            stride,
            padding="same",
            activation="relu",
            kernel_initializer="he_normal",
            name=f"stage{stage}",
        )(x)
    x = layers.Flatten(name="flatten")(x)
    return Classifier(inputs, logits_out(x, classes), name=name)
