"""StyleGAN, with one style vector per layer as latents."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from ijsat_tf import checks, seeds
from ijsat_tf.generators import stylegan_pytorch
from ijsat_tf.runtime.compiled import compiled
from ijsat_tf.runtime.exportable import Exportable
from ijsat_tf.types import Seed, Tensor

_TRUNCATED = 8
_PART = 16
_EPSILON = 1e-8


@keras.saving.register_keras_serializable("ijsat_tf")
class StyleGAN(Exportable):
    """The synthesis network of StyleGAN, for attacks and not for training.

    x = G(z) with z in W+, one style vector for each of the
    2 log2(resolution) - 2 layers. The noise that the network adds is part of
    its weights, so that images are functions of latents alone. New networks
    are untrained; `load_pytorch` reads trained weights.

    Args:
        resolution: Side of the images in pixels, a power of 2 from 8; default
            256.
        latent_size: Size of a style vector, default 512.
        width: Number of channels of the first layers, default 512; layers of
            side s have min(width, 16384 / s) channels.
        **kwargs: Further arguments of `keras.Model`, such as `name`.

    Raises:
        ValueError: for settings out of range.

    Source: Karras, Laine and Aila, A Style-Based Generator Architecture for
    Generative Adversarial Networks, 2019; the PyTorch version that dual
    manifold adversarial training uses, in
    https://github.com/genforce/interfacegan.
    """

    def __init__(
        self,
        resolution: int = 256,
        latent_size: int = 512,
        width: int = 512,
        **kwargs: Any,
    ):
        # Steps in the latent space are finer than bfloat16 resolves.
        super().__init__(autocast=False, **kwargs)
        checks.require(
            resolution in [2**n for n in range(3, 14)],
            "`resolution` must be a power of 2, 8 or more.",
            resolution,
        )
        self.resolution = int(resolution)
        self.latent_size = checks.at_least_one("latent_size", latent_size)
        self.width = checks.at_least_one("width", width)
        count = 2 * self.resolution.bit_length() - 4
        self.latent_shape = (count, latent_size)
        sides = [2 ** (layer // 2 + 2) for layer in range(count)]
        shapes = [(side, side, min(width, 16384 // side)) for side in sides]
        self.average = self._weight((latent_size,), "zeros", "average")
        self.constant = self._weight((1, *shapes[0]), "ones", "constant")
        self.mapping = [
            _built(
                layers.Dense(latent_size, dtype=self.variable_dtype),
                (latent_size,),
            )
            for _ in range(8)
        ]
        self.convolutions = [
            _built(_convolution(shape[2], place % 2, self.dtype_policy), before)
            for place, (before, shape) in enumerate(zip(shapes, shapes[1:]))
        ]
        self.epilogues = [
            _built(Epilogue(dtype=self.variable_dtype), shape, (latent_size,))
            for shape in shapes
        ]
        self.to_rgb = _built(
            layers.Conv2D(3, 1, dtype=self.variable_dtype), shapes[-1]
        )
        self.input_shape = (None, *self.latent_shape)
        self.built = True
        self.trainable = False

    def _weight(
        self, shape: tuple[int, ...], initializer: str, name: str
    ) -> keras.Variable:
        return self.add_weight(
            shape=shape, initializer=initializer, autocast=False, name=name
        )

    def load_pytorch(
        self, source: str | os.PathLike | Mapping[str, Any]
    ) -> None:
        """Loads the weights of the PyTorch version, all of them or none.

        Args:
            source: Path of a file with the `state_dict` of the whole network,
                mapping network included, or a mapping from its names to arrays.

        Raises:
            ValueError: for tensors that are missing, unknown, or of another
                shape, with their names, and for a network whose progressive
                growing has not ended.
            ImportError: for a file, where PyTorch is not installed.
        """
        stylegan_pytorch.load(self, source)

    def call(self, latents: Tensor, training: bool | None = None) -> tf.Tensor:
        """Returns `decode(latents)`."""
        return self.decode(latents)

    def decode(self, latents: Tensor) -> tf.Tensor:
        """Maps latents to images, x = G(z), not clipped.

        Args:
            latents: Latents (B, L, D) = (B, *latent_shape).

        Returns:
            Images (B, H, W, 3), mostly in [0, 1].
        """
        latents = tf.convert_to_tensor(latents)
        checks.require(
            latents.shape.rank == 3 and latents.shape[1:] == self.latent_shape,
            f"`latents` must have shape (B, {self.latent_shape[0]}, "
            f"{self.latent_shape[1]}), one style vector per layer.",
            f"shape {tuple(latents.shape)}",
        )
        return self._decode(tf.cast(latents, self.variable_dtype))

    @compiled
    def _decode(self, latents: tf.Tensor) -> tf.Tensor:
        features = tf.repeat(self.constant, tf.shape(latents)[0], axis=0)
        features = self.epilogues[0](features, latents[:, 0])
        for layer, convolution in enumerate(self.convolutions, start=1):
            features = convolution(features)
            features = self.epilogues[layer](features, latents[:, layer])
        return (self.to_rgb(features) + 1) / 2

    def sample_latents(
        self, count: int, seed: Seed = 0, truncation: float = 0.7
    ) -> tf.Tensor:
        """Draws latents by the mapping network, the same style for all layers.

        w = f(n), n ~ N(0, I). With a the average w, z_l = a + truncation
        (w - a) for the first 8 layers, and z_l = w for the others.

        Args:
            count: Number of latents.
            seed: Random seed, default 0.
            truncation: Factor of truncation, default 0.7; 1 truncates nothing.

        Returns:
            Latents (count, L, D).
        """
        count = checks.at_least_one("count", count)
        styles = tf.random.stateless_normal(
            [count, self.latent_size],
            seeds.derive(seed, "sample"),
            dtype=self.variable_dtype,
        )
        styles *= _rsqrt_of_mean_square(styles, -1)
        for dense in self.mapping:
            styles = tf.nn.leaky_relu(dense(styles), 0.2)
        factors = np.ones([self.latent_shape[0], 1], self.variable_dtype)
        factors[:_TRUNCATED] = truncation
        offsets = (styles - self.average)[:, tf.newaxis]
        return self.average + factors * offsets

    def sample(
        self, count: int, seed: Seed = 0, truncation: float = 0.7
    ) -> tf.Tensor:
        """Returns `decode(sample_latents(count, seed, truncation))`."""
        latents = self.sample_latents(count, seed, truncation)
        # In parts: a hundred large images need gigabytes of activations.
        parts = [
            self.decode(latents[start : start + _PART])
            for start in range(0, count, _PART)
        ]
        return tf.concat(parts, 0)

    def get_config(self) -> dict[str, Any]:
        names = ("resolution", "latent_size", "width")
        config = {name: getattr(self, name) for name in names}
        return {**super().get_config(), **config}


class Epilogue(layers.Layer):
    """The noise, leaky ReLU and style that follow each convolution.

    AdaIN(x, w) = (1 + scale(w)) (x - mean(x)) / std(x) + shift(w), with mean
    and standard deviation over an image's pixels, per channel.
    """

    def build(self, shape: tuple, latent_shape: tuple) -> None:
        _, height, width, channels = shape
        self.noise = self.add_weight(
            shape=(1, height, width, 1),
            initializer="random_normal",
            name="noise",
        )
        self.strength = self.add_weight(
            shape=(channels,), initializer="zeros", name="strength"
        )
        self.bias = self.add_weight(
            shape=(channels,), initializer="zeros", name="bias"
        )
        self.style = layers.Dense(2 * channels, dtype=self.dtype_policy)
        self.style.build(latent_shape)
        self.built = True

    def call(self, features: tf.Tensor, latents: tf.Tensor) -> tf.Tensor:
        features += self.noise * self.strength + self.bias
        features = tf.nn.leaky_relu(features, 0.2)
        style = self.style(latents)[:, tf.newaxis, tf.newaxis]
        scale, shift = tf.split(style, 2, axis=-1)
        features -= tf.reduce_mean(features, [1, 2], keepdims=True)
        scale = (1 + scale) * _rsqrt_of_mean_square(features, [1, 2])
        return scale * features + shift


class Blur(layers.Layer):
    """A filter of each channel by [1, 2, 1] / 4 along both axes."""

    def call(self, features: tf.Tensor) -> tf.Tensor:
        kernel = tf.constant(stylegan_pytorch.BLUR, features.dtype)
        channels = features.shape[-1]
        return tf.nn.depthwise_conv2d(
            features,
            tf.repeat(kernel[:, :, tf.newaxis, tf.newaxis], channels, axis=2),
            strides=[1, 1, 1, 1],
            padding="SAME",
        )


def _convolution(
    channels: int, doubles: int, policy: keras.DTypePolicy
) -> layers.Layer:
    """A 3x3 convolution, which doubles the side if `doubles` is 1.

    The doubling convolution acts on an image whose pixels are doubled first,
    written as one transposed convolution, and a blur follows it.
    """
    if not doubles:
        return layers.Conv2D(
            channels, 3, padding="same", use_bias=False, dtype=policy
        )
    return keras.Sequential(
        [
            layers.Conv2DTranspose(
                channels,
                4,
                strides=2,
                padding="same",
                use_bias=False,
                dtype=policy,
            ),
            Blur(dtype=policy),
        ]
    )


def _built(layer: layers.Layer, *shapes: tuple[int, ...]) -> layers.Layer:
    layer.build(*[(None, *shape) for shape in shapes])
    return layer


def _rsqrt_of_mean_square(tensor: tf.Tensor, axis: Any) -> tf.Tensor:
    squares = tf.reduce_mean(tf.square(tensor), axis, keepdims=True)
    return tf.math.rsqrt(squares + _EPSILON)
