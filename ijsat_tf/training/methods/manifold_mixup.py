"""Manifold mixup, which mixes images or the outputs of a layer."""

from __future__ import annotations

from typing import NamedTuple

import keras
import tensorflow as tf

from ijsat_tf import checks, losses, mixup, models, seeds
from ijsat_tf.samples import Batch
from ijsat_tf.training.methods.method import Method
from ijsat_tf.types import value


class Mixture(NamedTuple):
    """Samples to mix, with their weights and the place of the mixing.

    Attributes:
        batch: Samples, not mixed yet.
        alpha: Weights (B,) of each sample; its partner has 1 - alpha.
        place: Number of the stage whose input is mixed, scalar int32.
    """

    batch: Batch
    alpha: tf.Tensor
    place: tf.Tensor


@value
class ManifoldMixup(Method):
    """Manifold mixup: mixup of the images or of a layer's outputs.

    The method minimises
    L(f_k(a g_k(x_i) + (1 - a) g_k(x_j)), a y_i + (1 - a) y_j) over theta.

    f = f_k o g_k is cut at one place k per step, drawn uniformly: the images,
    or the output of one of `layers`. Partners are neighbours in the shuffled
    batch.

    Args:
        tau: Parameter of alpha ~ Beta(tau, tau), default 2, the official
            code's for CIFAR; 0 mixes nothing.
        layers: Names of the classifier's layers, default ("stage1", "stage2"),
            layers of the models of this library. () mixes images alone.
        alpha: Scope of each drawn alpha, "batch" (the default, as in the
            official code) or "sample".
        cross_entropy: Loss L. "binary", the default, is the official code's,
            -1/K sum_k (y_k log p_k + (1 - y_k) log(1 - p_k)) with
            p = softmax(f). "categorical" is the loss of other methods, which
            is K/2 to K times as large, and so are its gradients.

    Raises:
        ValueError: for settings out of range; when a model is made, for a
            classifier that cannot be cut behind `layers`.

    Source: Verma et al., Manifold Mixup: Better Representations by
    Interpolating Hidden States, 2019;
    https://github.com/vikasverma1077/manifold_mixup.
    """

    tau: float = 2.0
    layers: tuple[str, ...] = ("stage1", "stage2")
    alpha: str = "batch"
    cross_entropy: str = "binary"

    def __post_init__(self):
        super().__post_init__()
        mixup.check(self.tau, self.alpha)
        checks.require(
            isinstance(self.layers, tuple),
            "`layers` must be a list of names of layers, such as ['stage1'].",
            repr(self.layers),
        )
        checks.require(
            self.cross_entropy in ("binary", "categorical"),
            "`cross_entropy` must be 'binary' or 'categorical'.",
            repr(self.cross_entropy),
        )

    def check(self, classifier: keras.Model) -> None:
        self._stages(classifier)

    def craft(
        self, classifier: keras.Model, batch: Batch, seed: tf.Tensor
    ) -> Mixture:
        rows = tf.shape(batch.images)[0]
        place = tf.random.stateless_uniform(
            [],
            seeds.derive(seed, "place"),
            maxval=len(self._stages(classifier)),
            dtype=tf.int32,
        )
        alpha = mixup.alphas(
            rows, self.tau, seeds.derive(seed, "alpha"), self.alpha
        )
        return Mixture(batch, alpha, place)

    def loss(
        self, classifier: keras.Model, batch: Batch, crafted: Mixture
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        (images, labels, _), alpha, place = crafted
        pairs = mixup.partners(tf.shape(images)[0])
        features = images
        for number, stage in enumerate(self._stages(classifier)):
            # Other stages get weights of 1, which mix nothing, instead of a
            # branch of the graph, in which synchronised BatchNorm cannot run.
            here = tf.where(place == number, alpha, 1.0)
            features = mixup.interpolate(features, here, pairs)
            features = stage(features, training=True)
        labels = mixup.interpolate(labels, alpha, pairs)
        binary = self.cross_entropy == "binary"
        cross_entropy = _binary if binary else losses.cross_entropy
        return cross_entropy(labels, features), labels, features

    def _stages(self, classifier: keras.Model) -> list[keras.Model]:
        if not self.layers:
            return [classifier]
        return models.stages(classifier, self.layers)


def _binary(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    logs = tf.nn.log_softmax(tf.cast(logits, tf.float32))
    # Where p rounds to 1 the logarithm would be infinite.
    others = tf.math.log(tf.maximum(-tf.math.expm1(logs), 1e-12))
    return -tf.reduce_mean(labels * logs + (1 - labels) * others, axis=1)
