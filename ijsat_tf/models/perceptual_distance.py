"""The neural perceptual distance, measured on a network's activations."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from ijsat_tf import checks
from ijsat_tf.models.inference import inference
from ijsat_tf.models.stages import stages
from ijsat_tf.runtime.compiled import compiled
from ijsat_tf.types import Tensor, Value, value

FeaturesFn = Callable[[tf.Tensor], tf.Tensor]


@value
class PerceptualDistance(Value):
    """The distance d(x, x') = |phi(x) - phi(x')|_2 of layers' activations.

    Each activation a of shape (H, W, C) enters phi as a / (|a| sqrt(H W)),
    with |a| the norm over channels at each place, so that all layers count
    equally. The distance is the square root of LPIPS without weights of
    channels. The distance is at most 2 sqrt(layers), and has no unit.

    Args:
        network: Functional or sequential Keras model of images (B, H, W, C) in
            [0, 1], run in inference mode, such as a classifier, or a VGG16
            behind the preprocessing that the VGG16 was trained with.
        layers: Names of layers of `network`, ordered from the images on, as for
            `ijsat_tf.models.stages`; None, the default, stands for `stage1`,
            `stage2` and so on, which the classifiers of this library have.

    Raises:
        ValueError: for a network that cannot be cut behind these layers.

    Source: Laidlaw et al., Perceptual Adversarial Robustness, 2021.
    """

    network: keras.Model
    layers: tuple[str, ...] | None = None

    def __post_init__(self):
        super().__post_init__()
        stages(self.network, self.layers)

    def __call__(self, images: Tensor, others: Tensor) -> tf.Tensor:
        """The distances of images from other images, (B,).

        Args:
            images: Images (B, H, W, C) in [0, 1].
            others: Other images (B, H, W, C) in [0, 1].

        Returns:
            Distances (B,), 0 or more.

        Raises:
            ValueError: for images that the network does not take.
        """
        return norm(self.features(images) - self.features(others))

    def features(self, images: Tensor) -> tf.Tensor:
        """The features phi of images, (B, D).

        Args:
            images: Images (B, H, W, C) in [0, 1].

        Returns:
            Features (B, D), at least float32.

        Raises:
            ValueError: for images that the network does not take.
        """
        shape = self.network.input_shape[1:]
        return _features(self, checks.images(images, shape=shape))

    def prepare(self) -> FeaturesFn:
        """Returns phi as graph operations.

        Terms that depend on the weights alone are computed now, and not at
        every call.

        Returns:
            A function from images (B, H, W, C) to features (B, D).
        """
        run = self.with_outputs()
        return lambda images: run(images)[0]

    def with_outputs(
        self,
    ) -> Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]:
        """Like `prepare`, for phi and the network's outputs of one pass.

        Returns:
            A function from images (B, H, W, C) to features (B, D) and outputs.
        """
        run = activations(self.network, self.layers)
        # Laidlaw et al. leave the stem out of the distance.
        parts = stages(self.network, self.layers)[:-1]
        chosen = [self.layers or part.name != "stem" for part in parts]

        def both(images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            *found, outputs = run(images)
            kept = list(itertools.compress(found, chosen))
            return unit_features(kept), outputs

        return both


def activations(
    network: keras.Model, layers: Sequence[str] | None = None
) -> Callable[[tf.Tensor], list[tf.Tensor]]:
    """A function from images to the outputs of a network's `stages`.

    The network runs in inference mode, and its own output comes last.

    Args:
        network: Functional or sequential Keras model.
        layers: Names of layers, as for `stages`; default None.
    """
    calls = [inference(part) for part in stages(network, layers)]

    def run(images: tf.Tensor) -> list[tf.Tensor]:
        return list(
            itertools.accumulate(calls, lambda x, call: call(x), initial=images)
        )[1:]

    return run


def unit_features(
    activations: Sequence[tf.Tensor],
    weights: Sequence[tf.Tensor] | None = None,
) -> tf.Tensor:
    """Joins activations to one vector per sample, phi of `PerceptualDistance`.

    Args:
        activations: Activations of some layers, each (B, ..., C).
        weights: Weights of the squares of each layer's channels, (C,) per
            layer; None, the default, for weights of 1.

    Returns:
        Vectors (B, D), at least float32.
    """
    vectors = []
    for place, activation in enumerate(activations):
        if activation.dtype.size < 4:
            activation = tf.cast(activation, tf.float32)
        squares = tf.reduce_sum(activation**2, axis=-1, keepdims=True)
        # The small number is inside of the root, so that places without
        # activation have a gradient.
        unit = activation * tf.math.rsqrt(squares + 1e-20)
        if weights is not None:
            unit *= tf.sqrt(tf.cast(weights[place], unit.dtype))
        area = tf.reduce_prod(tf.shape(unit)[1:-1])
        rows = tf.reshape(unit, [tf.shape(unit)[0], -1])
        vectors.append(rows * tf.math.rsqrt(tf.cast(area, rows.dtype)))
    return tf.concat(vectors, axis=1)


def norm(vectors: tf.Tensor) -> tf.Tensor:
    """The L2 norm of each sample, (B,), with gradient 0 where the norm is 0.

    Args:
        vectors: Vectors (B, ...).
    """
    squares = tf.reduce_sum(vectors**2, axis=list(range(1, vectors.shape.rank)))
    positive = squares > 0
    root = tf.sqrt(tf.where(positive, squares, 1))
    return tf.where(positive, root, 0)


@compiled
def _features(distance: PerceptualDistance, images: tf.Tensor) -> tf.Tensor:
    return distance.prepare()(images)
