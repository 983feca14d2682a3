"""Fast PAT: perceptual adversarial training."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from ijsat_tf.attacks import FastLagrangePerceptual, as_logits
from ijsat_tf.attacks.rows import pick
from ijsat_tf.mixup import Batch
from ijsat_tf.models import PerceptualDistance
from ijsat_tf.training.methods.method import Method
from ijsat_tf.types import value


@value
class FastPAT(Method):
    """min_theta L(f(x^), y), x^ by Fast-LPA for max_{d(x, x^) <= bound}.

    d is a perceptual distance, by default that of the activations of the
    classifier in training. Images that the classifier gets wrong already stay
    as they are, all others are attacked. Metrics see what is trained on.

    The official code clips each value of the gradient to [-1, 1]: give the
    optimizer `clipvalue=1.0`, which two or more replicas cannot have, as Keras
    would clip before it sums over them.

    Args:
        bound: of the distance, default 0.5, that of CIFAR-10; 0.25 for
            ImageNet-100, and 0.02 is what Kireev et al. trained with for
            CIFAR-10-C.
        steps: of the attack, default 10.
        distance: a perceptual distance; None, the default, for that of the
            classifier.
        layers: of the classifier's own distance; None, the default, for its
            stages.
        only_correct: whether wrong images are left alone, default True, as
            the authors train; False attacks all.

    Raises:
        ValueError: for settings out of range; by the model for a classifier
            without such layers.

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
        # So that wrong settings are refused at once.
        _ = self.attack

    @property
    def attack(self) -> FastLagrangePerceptual:
        """The inner maximisation."""
        return FastLagrangePerceptual(
            self.bound, self.distance, self.steps, self.layers
        )

    def check(self, classifier: keras.Model) -> None:
        if self.distance is None:
            PerceptualDistance(classifier, self.layers)

    def craft(
        self, classifier: keras.Model, batch: Batch, seed: tf.Tensor
    ) -> tf.Tensor:
        # The whole batch, though not all of it is used: a part would have
        # another place in the global batch, and so other random numbers.
        result = self.attack(classifier, batch.images, batch.labels, seed)
        if not self.only_correct:
            return result.images
        logits = as_logits(classifier)(batch.images)
        correct = tf.argmax(logits, -1) == tf.argmax(batch.labels, -1)
        return pick(correct, result.images, batch.images)
