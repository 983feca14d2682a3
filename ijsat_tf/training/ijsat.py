"""IJSAT, ready for `compile` and `fit`."""

from __future__ import annotations

import keras

from ijsat_tf.attacks import Attack
from ijsat_tf.training import methods
from ijsat_tf.training.model import AdversarialModel


def IJSAT(
    classifier: keras.Model, attack: Attack, tau: float = 0.1, seed: int = 0
) -> AdversarialModel:
    """A model that trains by Algorithm 1: mix, attack the mixture, minimise.

    Args:
        classifier: Classifier from images in [0, 1] to logits (B, K).
        attack: Attack on the mixtures, e.g.
            `JointSpaceAttack(flow, pixels=..., latent=...)`.
        tau: Parameter of alpha ~ Beta(tau, tau), default 0.1.
        seed: Random seed of the training, default 0.

    Returns:
        Model `AdversarialModel(classifier, methods.IJSAT(attack, tau), seed)`.
    """
    return AdversarialModel(classifier, methods.IJSAT(attack, tau), seed)
