"""Adversarial training."""

from __future__ import annotations

import keras
import tensorflow as tf

from ijsat_tf import checks
from ijsat_tf.attacks import Attack, as_logits, require_untargeted
from ijsat_tf.samples import Batch
from ijsat_tf.training.methods.method import Method
from ijsat_tf.types import value


@value
class AT(Method):
    """Adversarial training, min_theta max_delta L(f(x + delta), y) (Eq. 3).

    With `JointSpaceAttack` this is the paper's AT [JSA], with `OnManifoldPGD`
    Eq. 4. With `FGSM(L2(0.1))` and `FGSM(Linf(1 / 255))` AT is the one-step L2
    and Linf training of Kireev et al., 2022. Their code attacks the classifier
    in training mode. Where an L2 change leaves [0, 1], their code clips first
    and projects afterwards, so that the change is a little longer.

    Args:
        attack: Attack of the inner maximisation.

    Raises:
        ValueError: for an `attack` that is not an untargeted attack.

    Source: Madry et al., Towards Deep Learning Models Resistant to
    Adversarial Attacks, 2018.
    """

    attack: Attack

    def __post_init__(self):
        super().__post_init__()
        require_untargeted(self.attack, f"`attack` of {type(self).__name__}")

    def craft(
        self, classifier: keras.Model, batch: Batch, seed: tf.Tensor
    ) -> tf.Tensor:
        return self.attack.adversarial(
            classifier, batch.images, batch.labels, seed, batch.latents
        )


def predictions(classifier: keras.Model, images: tf.Tensor) -> tf.Tensor:
    """The probabilities softmax(f(x)), (B, K), as labels for an attack.

    Args:
        classifier: Classifier, called in inference mode.
        images: Images (B, H, W, C) in [0, 1].
    """
    logits = checks.finite(as_logits(classifier)(images), "The logits")
    return tf.stop_gradient(tf.nn.softmax(logits))
