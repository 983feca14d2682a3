"""LPIPS: a perceptual distance with learned weights of channels."""

from __future__ import annotations

import os
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from ijsat_tf import checks
from ijsat_tf.models.ends import images_in
from ijsat_tf.models.perceptual_distance import (
    FeaturesFn,
    activations,
    norm,
    unit_features,
)
from ijsat_tf.runtime.compiled import compiled
from ijsat_tf.types import Tensor

Path = str | os.PathLike

# Number of convolutions of each block, and their channels.
_BLOCKS = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))
_LAYERS = tuple(
    f"block{block}_conv{count}"
    for block, (count, _) in enumerate(_BLOCKS[:-1], 1)
)
# 2 x - 1, minus (-.030, -.088, -.188), over (.458, .448, .450), as one step.
_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)


@keras.saving.register_keras_serializable("ijsat_tf")
class LPIPS(keras.Model):
    """The perceptual distance LPIPS, with VGG16 as its network.

    LPIPS(x, x') = sum_l mean_hw sum_c w_lc (a^_lc - a^'_lc)^2.

    a^_l are the activations of the last layer of VGG16's five blocks,
    normalised over channels; w are linear weights fitted to human judgements.
    LPIPS is the square of a `PerceptualDistance` with weights. An attack that
    takes this model as its `distance` uses the root of LPIPS. The model
    downloads no weights, is not trained, and computes in float32.

    Args:
        trunk: Path of an .npz file with the weights of PyTorch's VGG16,
            `features.0.weight` and so on, (out, in, 3, 3); None, the default,
            to load or set weights later. The linear weights belong to the
            channels of torchvision's IMAGENET1K_V1, trained from scratch. The
            VGG16 weights of Keras are another network, with other channels.
        linear: Path of an .npz file with the linear weights v0.1 for VGG,
            `lin0.model.1.weight` and so on, (1, C, 1, 1); None, the default,
            for weights of 1.
        name: Name of the model, default "lpips".

    Raises:
        ValueError: for a file that lacks weights, or has other shapes.

    Source: Zhang et al., The Unreasonable Effectiveness of Deep Features as a
    Perceptual Metric, 2018; https://github.com/richzhang/PerceptualSimilarity.
    """

    def __init__(
        self,
        trunk: Path | None = None,
        linear: Path | None = None,
        name: str = "lpips",
    ):
        super().__init__(name=name, dtype="float32")
        self.network = _vgg16()
        self.linear = [
            self.add_weight((width,), "ones", name=f"linear{block}")
            for block, (_, width) in enumerate(_BLOCKS)
        ]
        self.trainable = False
        self.built = True
        if trunk is not None:
            _load(trunk, self.network.weights, _trunk_names())
        if linear is not None:
            names = [f"lin{block}.model.1.weight" for block in range(5)]
            _load(linear, self.linear, names)

    def call(self, images: Tensor, others: Tensor) -> tf.Tensor:
        """LPIPS between images and other images, (B,).

        Args:
            images: Images (B, H, W, 3) in [0, 1].
            others: Other images (B, H, W, 3) in [0, 1].

        Returns:
            LPIPS (B,), 0 or more.

        Raises:
            ValueError: for images that `features` refuses.
        """
        return norm(self.features(images) - self.features(others)) ** 2

    def features(self, images: Tensor) -> tf.Tensor:
        """The features sqrt(w) a^ / sqrt(H W) of all layers, (B, D).

        Args:
            images: Images (B, H, W, 3) in [0, 1], at least 16 pixels wide and
                high.

        Returns:
            Features (B, D), float32.

        Raises:
            ValueError: for images of another shape or range, or smaller images.
        """
        images = checks.images(images, shape=(None, None, 3))
        checks.require(
            all(size is None or size >= 16 for size in images.shape[1:3]),
            "`images` must be at least 16 pixels wide and high for VGG16; "
            "enlarge the images.",
            f"shape {tuple(images.shape)}",
        )
        return _features(self, images)

    def prepare(self) -> FeaturesFn:
        """Returns `features` as graph operations, without checks."""
        run = activations(self.network, _LAYERS)
        weights = [tf.convert_to_tensor(weight) for weight in self.linear]
        return lambda images: unit_features(run(images), weights)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}


def _vgg16() -> keras.Model:
    """The convolutions of VGG16, named as in Keras.

    The convolutions compute in float32 also under mixed precision.
    """
    inputs, x = images_in((None, None, 3), (_MEAN, _DEVIATION))
    for block, (count, width) in enumerate(_BLOCKS, 1):
        if block > 1:
            x = layers.MaxPooling2D(dtype="float32")(x)
        for number in range(1, count + 1):
            x = layers.Conv2D(
                width,
                3,
                padding="same",
                activation="relu",
                dtype="float32",
                name=f"block{block}_conv{number}",
            )(x)
    return keras.Model(inputs, x, name="vgg16")


def _trunk_names() -> list[str]:
    """The names of kernels and biases in PyTorch, which counts ReLUs too."""
    names, place = [], 0
    for count, _ in _BLOCKS:
        for _ in range(count):
            names += [f"features.{place}.weight", f"features.{place}.bias"]
            place += 2
        place += 1
    return names


def _load(path: Path, weights: list[keras.Variable], names: list[str]) -> None:
    with np.load(path, allow_pickle=False) as arrays:
        for weight, name in zip(weights, names, strict=True):
            found = arrays[name] if name in arrays else np.zeros(0)
            if found.ndim == 4:
                found = np.transpose(found, (2, 3, 1, 0))
            checks.require(
                found.size == np.prod(weight.shape),
                f"The file must hold `{name}` for weights of shape "
                f"{tuple(weight.shape)}.",
                f"{path} with {', '.join(sorted(arrays)[:4])} ...",
            )
            weight.assign(np.reshape(found, weight.shape))


@compiled
def _features(distance: LPIPS, images: tf.Tensor) -> tf.Tensor:
    return distance.prepare()(images)
