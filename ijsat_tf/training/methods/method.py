"""Defences: what is mixed, what is attacked, what is minimised."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from ijsat_tf import checks, losses
from ijsat_tf.attacks import Attack
from ijsat_tf.mixup import Batch, mixup
from ijsat_tf.types import Value, value


@value
class Method(Value):
    """A defence as three choices, all graph functions of a seed.

    By default nothing is mixed, nothing attacked, and the cross entropy of
    what was crafted is minimised.
    """

    def mix(self, batch: Batch, seed: tf.Tensor) -> Batch:
        """The samples to train on.

        Args:
            batch: images (B, H, W, C) in [0, 1], labels (B, K), latents.
            seed: (2,) int32.
        """
        return batch

    def craft(
        self, classifier: keras.Model, batch: Batch, seed: tf.Tensor
    ) -> Any:
        """What `loss` needs besides the batch: images, most often.

        Args:
            classifier: in inference mode; no variable may change.
            batch: what `mix` returned.
            seed: (2,) int32.
        """
        return batch.images

    def loss(
        self, classifier: keras.Model, batch: Batch, crafted: Any
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The loss to minimise.

        Args:
            classifier: to be called with `training=True`.
            batch: what `mix` returned.
            crafted: what `craft` returned.

        Returns:
            Losses (B,) in nats, and the logits (B, K) that metrics see.
        """
        logits = classifier(crafted, training=True)
        return losses.cross_entropy(batch.labels, logits), logits


@value
class Standard(Method):
    """Normal training: min_theta L(f(x), y)."""


@value
class AT(Method):
    """Adversarial training: min_theta max_delta L(f(x + delta), y) (Eq. 3).

    With `JointSpaceAttack` it is the paper's AT [JSA], with `OnManifoldPGD`
    Eq. 4.

    Args:
        attack: the inner maximisation.

    Source: Madry et al., 2018.
    """

    attack: Attack

    def __post_init__(self):
        super().__post_init__()
        checks.require(
            isinstance(self.attack, Attack),
            f"{type(self).__name__} needs an attack, such as "
            "PGD(Linf(8 / 255, step=2 / 255), steps=10).",
            repr(self.attack),
        )

    def craft(
        self, classifier: keras.Model, batch: Batch, seed: tf.Tensor
    ) -> tf.Tensor:
        result = self.attack(
            classifier, batch.images, batch.labels, seed, batch.latents
        )
        return result.images


@value
class IJSAT(AT):
    """Robust Mixup: mix first, then attack the mixture (Eq. 11).

    min_theta max L_mix(f(G(G^-1(IM(x)) + lambda) + delta)), with the same
    alpha in the mixture, in the attack's loss and in the training loss
    (Algorithm 1).

    Args:
        attack: `JointSpaceAttack` for the paper's IJSAT; another for Robust
            Mixup in its space (Eq. 10 with PGD).
        tau: alpha ~ Beta(tau, tau), default 0.1; 0 mixes nothing.
        alpha: one alpha a "sample" (the default) or a "batch".

    Source: the paper, section 5.
    """

    tau: float = 0.1
    alpha: str = "sample"

    def __post_init__(self):
        super().__post_init__()
        checks.require(
            isinstance(self.tau, (int, float)) and self.tau >= 0,
            "`tau` must be a number, not negative.",
            repr(self.tau),
        )
        checks.require(
            self.alpha in ("sample", "batch"),
            "`alpha` must be 'sample' or 'batch'.",
            repr(self.alpha),
        )

    def mix(self, batch: Batch, seed: tf.Tensor) -> Batch:
        return mixup(batch, self.tau, seed, self.alpha)
