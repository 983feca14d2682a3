"""Adversarial training."""

from __future__ import annotations

import keras
import tensorflow as tf

from ijsat_tf import checks
from ijsat_tf.attacks import Attack, as_logits, require_untargeted
from ijsat_tf.mixup import Batch
from ijsat_tf.training.methods.method import Method
from ijsat_tf.types import value


@value
class AT(Method):
    """Adversarial training: min_theta max_delta L(f(x + delta), y) (Eq. 3).

    With `JointSpaceAttack` it is the paper's AT [JSA], with `OnManifoldPGD`
    Eq. 4; with `FGSM(L2(0.1))` and `FGSM(Linf(1 / 255))` the one-step L2 and
    Linf training of Kireev et al., 2022. Their code crafts in training mode,
    and where a change by L2 meets the ends of [0, 1] it clips first and
    projects after, by which a change is a little longer.

    Args:
        attack: the inner maximisation.

    Raises:
        ValueError: for an `attack` that is none.

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
        result = self.attack(
            classifier, batch.images, batch.labels, seed, batch.latents
        )
        return result.images


def predictions(classifier: keras.Model, images: tf.Tensor) -> tf.Tensor:
    """The model's own labels softmax(f(x)), (B, K), for an attack to leave.

    Args:
        classifier: in inference mode.
        images: (B, H, W, C) in [0, 1].
    """
    logits = checks.finite(as_logits(classifier)(images), "The logits")
    return tf.stop_gradient(tf.nn.softmax(logits))
