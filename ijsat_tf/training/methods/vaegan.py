"""On-manifold adversarial training with a VAE-GAN, after Stutz et al."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from ijsat_tf import checks, losses
from ijsat_tf.attacks import Ascent
from ijsat_tf.samples import Batch
from ijsat_tf.spaces import AdamLatent, Linf
from ijsat_tf.training.methods.method import Method
from ijsat_tf.types import value


@value
class VAEGAN(Method):
    """On-manifold adversarial training with a VAE-GAN.

    The method minimises 1/2 L(f(x), y) + 1/2 max_lambda
    L(f(G(z' + lambda)), y') over theta.

    Every other sample (x', y') of the batch is replaced by its attacked image
    G(z' + lambda), where z' is the code of x'; the other samples stay clean.
    Both halves go through the classifier together, and metrics see both.
    `AT(method.attack)` attacks all samples, as the source's "full" variant
    does.

    Args:
        generator: Generator G, e.g. `ijsat_tf.generators.VAEGAN`: a network
            with `decode(latents)`, and with `encode(images)` unless latents
            come with the data.
        radius: Radius of lambda, per coordinate; default 0.1, the source's
            for one generator of all classes (0.3 where each class has its
            own generator).
        steps: Number of Adam's steps, default 40.
        learning_rate: Learning rate of Adam, default 0.005.
        bound: Bound of z + lambda, per coordinate; default 2, None for no
            bound.

    Raises:
        ValueError: for settings out of range; in training for batches of a
            single sample.

    Source: Stutz, Hein and Schiele, Disentangling Adversarial Robustness and
    Generalization, 2019;
    https://github.com/davidstutz/disentangling-robustness-generalization.
    Where a step fools the classifier, that code trains on the worst step; this
    method always trains on the last one.
    """

    generator: Any
    radius: float = 0.1
    steps: int = 40
    learning_rate: float = 0.005
    bound: float | None = 2.0

    def __post_init__(self):
        super().__post_init__()
        checks.not_negative("learning_rate", self.learning_rate)
        # Making the attack refuses wrong settings at once.
        _ = self.attack

    @property
    def attack(self) -> Ascent:
        """The attack that solves the inner maximisation."""
        ball = Linf(self.radius, self.learning_rate)
        space = AdamLatent(self.generator, ball, bound=self.bound)
        return Ascent(space, self.steps)

    def craft(
        self, classifier: keras.Model, batch: Batch, seed: tf.Tensor
    ) -> tf.Tensor:
        rows = batch.images.shape[0] or tf.shape(batch.images)[0]
        checked = checks.require(
            rows >= 2,
            "A batch must have at least 2 samples per replica, because half "
            "of the samples are attacked; drop the remainder of an epoch.",
        )
        images, labels, latents = _every_other(batch, 1)
        images = checks.after(checked, images)
        return self.attack.adversarial(
            classifier, images, labels, seed, latents
        )

    def loss(
        self, classifier: keras.Model, batch: Batch, crafted: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        clean, attacked = _every_other(batch, 0), _every_other(batch, 1)
        images = tf.concat([clean.images, crafted], axis=0)
        labels = tf.concat([clean.labels, attacked.labels], axis=0)
        logits = classifier(images, training=True)
        return losses.cross_entropy(labels, logits), labels, logits


def _every_other(batch: Batch, first: int) -> Batch:
    # Every other sample, and not the first half: the samples must not depend
    # on the number of replicas.
    return tf.nest.map_structure(
        lambda part: None if part is None else part[first::2], batch
    )
