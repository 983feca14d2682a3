"""Fast PAT: perceptual adversarial training."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from ijsat_tf.attacks import FastLagrangePerceptual, as_logits
from ijsat_tf.models import PerceptualDistance
from ijsat_tf.rows import pick
from ijsat_tf.samples import Batch
from ijsat_tf.training.methods.method import Method
from ijsat_tf.types import value


@value
class FastPAT(Method):
    """Perceptual adversarial training with Fast-LPA.

    The method minimises L(f(x^), y) over theta, with x^ found by Fast-LPA,
    which searches where d(x, x^) <= bound.

    d is a perceptual distance, by default the distance of the activations of
    the classifier in training. Images that the classifier already misclassifies
    are not changed; all other images are attacked. Metrics see the images that
    the classifier trains on.

    The official code clips each value of the gradient to [-1, 1]: give the
    optimizer `clipvalue=1.0`. This is not possible with two or more replicas,
    as Keras would clip before it sums over the replicas.

    Args:
        bound: Bound of the distance, default 0.5, the source's for CIFAR-10;
            0.25 for ImageNet-100. Kireev et al. trained with 0.02 for
            CIFAR-10-C.
        steps: Number of steps of the attack, default 10.
        distance: Perceptual distance; None, the default, for the distance of
            the classifier's own activations.
        layers: Names of the layers of the classifier's own distance; None,
            the default, for the classifier's stages.
        only_correct: Whether only correctly classified images are attacked,
            default True, as the authors train; False attacks all images.

    Raises:
        ValueError: for settings out of range; when a model is made, for a
            classifier without such layers.

    Source: Laidlaw et al., Perceptual Adversarial Robustness: Defense Against
    Unseen Threat Models, 2021;
    https://github.com/cassidylaidlaw/perceptual-advex.
    """

    bound: float = 0.5
    steps: int = 10
    distance: Any = None
    layers: tuple[str, ...] | None = None
    only_correct: bool = True

    def __post_init__(self):
        super().__post_init__()
        # Making the attack refuses wrong settings at once.
        _ = self.attack

    @property
    def attack(self) -> FastLagrangePerceptual:
        """The attack that solves the inner maximisation."""
        return FastLagrangePerceptual(
            self.bound, self.distance, self.steps, self.layers
        )

    def check(self, classifier: keras.Model) -> None:
        if self.distance is None:
            PerceptualDistance(classifier, self.layers)

    def craft(
        self, classifier: keras.Model, batch: Batch, seed: tf.Tensor
    ) -> tf.Tensor:
        # The whole batch is attacked, though a part of it is not used: with
        # other places in the global batch, the used samples would get other
        # random numbers.
        attacked = self.attack.adversarial(
            classifier, batch.images, batch.labels, seed
        )
        if not self.only_correct:
            return attacked
        logits = as_logits(classifier)(batch.images)
        correct = tf.argmax(logits, -1) == tf.argmax(batch.labels, -1)
        return pick(correct, attacked, batch.images)
