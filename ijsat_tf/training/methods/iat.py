"""Interpolated adversarial training, which attacks first and then mixes."""

from __future__ import annotations

import numbers

import keras
import tensorflow as tf

from ijsat_tf import checks, seeds
from ijsat_tf.samples import Batch
from ijsat_tf.training.methods.at import AT
from ijsat_tf.training.methods.manifold_mixup import ManifoldMixup, Mixture
from ijsat_tf.types import value


@value
class IAT(AT):
    """Interpolated adversarial training: attack first, then mix.

    The method minimises 1/2 L_mix(f(x)) + 1/2 L_mix(f(x^)) over theta, with x^
    attacked before mixing.

    Clean and attacked images are mixed separately, with alphas of their own,
    and go through the classifier separately. Metrics see the attacked mixture.

    Args:
        attack: Attack of the inner maximisation, on unmixed images.
        tau: Parameter of alpha ~ Beta(tau, tau), default 0.1, the paper's;
            the method's authors use 1 for "input" and 2 for "manifold". 0
            mixes nothing.
        mix: Place of the mixing. "input", the default, mixes images;
            "manifold" mixes the images or the output of one of `layers`,
            drawn at random at each step.
        clean: Weight of the clean loss, default 1/2; 0 leaves the clean loss
            out, which with `JointSpaceAttack` is the paper's AT [JSA]-mixup.
        layers: Names of the classifier's layers for "manifold", default
            ("stage1", "stage2"), layers of the models of this library.
        alpha: Scope of each drawn alpha, "sample" (the default) or "batch".

    Raises:
        ValueError: for settings out of range; when a model is made, for a
            classifier that cannot be cut behind `layers`.

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
        # Making the mixup method refuses wrong settings at once.
        ManifoldMixup(self.tau, self.layers, self.alpha)

    @property
    def mixing(self) -> ManifoldMixup:
        """The mixup method that both clean and attacked images go through."""
        layers = self.layers if self.mix == "manifold" else ()
        return ManifoldMixup(self.tau, layers, self.alpha, "categorical")

    def check(self, classifier: keras.Model) -> None:
        self.mixing.check(classifier)

    def craft(
        self, classifier: keras.Model, batch: Batch, seed: tf.Tensor
    ) -> list[Mixture]:
        attacked = super().craft(classifier, batch, seed)
        sources = [(batch._replace(images=attacked), seed)]
        if self.clean:
            sources.insert(0, (batch, seeds.derive(seed, "clean")))
        return [
            self.mixing.craft(classifier, source, draw)
            for source, draw in sources
        ]

    def loss(
        self, classifier: keras.Model, batch: Batch, crafted: list[Mixture]
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        each = tf.zeros_like(crafted[0].alpha)
        weights = [self.clean, 1 - self.clean][-len(crafted) :]
        for weight, mixture in zip(weights, crafted):
            part, *seen = self.mixing.loss(classifier, batch, mixture)
            each += weight * part
        return each, *seen
