"""Interpolated adversarial training: attack first, then mix."""

from __future__ import annotations

import numbers
from typing import NamedTuple

import keras
import tensorflow as tf

from ijsat_tf import checks, losses, mixup, models, seeds
from ijsat_tf.mixup import Batch
from ijsat_tf.training.methods.at import AT
from ijsat_tf.types import value


class Mixture(NamedTuple):
    """What to mix, and where.

    Attributes:
        batch: the samples, not mixed yet.
        alpha: (B,) weights of each sample; its partner has the rest.
        place: the number of the stage whose input is mixed, scalar int32.
    """

    batch: Batch
    alpha: tf.Tensor
    place: tf.Tensor


@value
class IAT(AT):
    """min_theta 1/2 L_mix(f(x)) + 1/2 L_mix(f(x^)), x^ attacked before
    mixing.

    Clean and attacked images are mixed apart, with alphas of their own, and
    go through the classifier apart. Metrics see the attacked mixture.

    Args:
        attack: the inner maximisation, on unmixed images.
        tau: alpha ~ Beta(tau, tau), default 0.1, the paper's; the method's
            authors have 1 for "input" and 2 for "manifold". 0 mixes nothing.
        mix: "input", the default, mixes images; "manifold" the images or the
            output of one of `layers`, drawn anew at each step.
        clean: weight of the clean loss, default 1/2; 0 leaves it out, which
            with `JointSpaceAttack` is the paper's AT [JSA]-mixup.
        layers: names of the classifier's layers for "manifold"; the default
            suits the models of this library.
        alpha: one alpha a "sample" (the default) or a "batch".

    Raises:
        ValueError: for settings out of range; by the model for a classifier
            that cannot be cut behind `layers`.

    Source: Lamb et al., Interpolated Adversarial Training, 2019; Verma et
    al., Manifold Mixup, 2019.
    """

    tau: float = 0.1
    mix: str = "input"
    clean: float = 0.5
    layers: tuple[str, ...] = ("stage1", "stage2")
    alpha: str = "sample"

    def __post_init__(self):
        super().__post_init__()
        mixup.check(self.tau, self.alpha)
        checks.require(
            self.mix in ("input", "manifold"),
            "`mix` must be 'input' or 'manifold'.",
            repr(self.mix),
        )
        checks.require(
            isinstance(self.clean, numbers.Real) and 0 <= self.clean <= 1,
            "`clean` must be a number from 0 to 1.",
            repr(self.clean),
        )

        checks.require(
            isinstance(self.layers, tuple),
            "`layers` must be names of layers, such as ['stage1'].",
            repr(self.layers),
        )

    def check(self, classifier: keras.Model) -> None:
        self._stages(classifier)

    def craft(
        self, classifier: keras.Model, batch: Batch, seed: tf.Tensor
    ) -> list[Mixture]:
        attacked = super().craft(classifier, batch, seed)
        mixtures = [
            self._draw(classifier, batch._replace(images=attacked), seed)
        ]
        if self.clean:
            other = seeds.derive(seed, "clean")
            mixtures.insert(0, self._draw(classifier, batch, other))
        return mixtures

    def loss(
        self, classifier: keras.Model, batch: Batch, crafted: list[Mixture]
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        each = tf.zeros_like(crafted[0].alpha)
        weights = [self.clean, 1 - self.clean][-len(crafted) :]
        for weight, mixture in zip(weights, crafted):
            labels, logits = self._forward(classifier, mixture)
            each += weight * losses.cross_entropy(labels, logits)
        return each, labels, logits

    def _stages(self, classifier: keras.Model) -> list[keras.Model]:
        if self.mix == "input":
            return [classifier]
        return models.stages(classifier, self.layers)

    def _draw(
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

    def _forward(
        self, classifier: keras.Model, mixture: Mixture
    ) -> tuple[tf.Tensor, tf.Tensor]:
        (images, labels, _), alpha, place = mixture
        pairs = mixup.partners(tf.shape(images)[0])
        features = images
        for number, stage in enumerate(self._stages(classifier)):
            # Weights of 1 mix nothing: the graph needs no branches, in which
            # synchronised BatchNorm could not run.
            here = tf.where(place == number, alpha, 1.0)
            features = mixup.interpolate(features, here, pairs)
            features = stage(features, training=True)
        return mixup.interpolate(labels, alpha, pairs), features
