"""What a method is, and the one that attacks nothing."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from ijsat_tf import losses
from ijsat_tf.mixup import Batch
from ijsat_tf.types import Value, value


@value
class Method(Value):
    """A defence as three choices, all graph functions of a seed.

    By default nothing is mixed, nothing attacked, and the cross entropy of
    what was crafted is minimised. A method of one's own is a subclass, made a
    value by `@ijsat_tf.types.value`, so that a model is saved with it.
    """

    def check(self, classifier: keras.Model) -> None:
        """Raises `ValueError` for a classifier that cannot be trained so."""

    def mixture(self, batch: Batch, seed: tf.Tensor) -> Batch:
        """The samples to attack.

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
            batch: what `mixture` returned.
            seed: (2,) int32.
        """
        return batch.images

    def loss(
        self, classifier: keras.Model, batch: Batch, crafted: Any
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """The loss to minimise.

        Args:
            classifier: to be called with `training=True`.
            batch: what `mixture` returned.
            crafted: what `craft` returned.

        Returns:
            Losses (B,) in nats, and labels (B, K) and logits (B, K) that
            metrics compare.
        """
        logits = classifier(crafted, training=True)
        each = losses.cross_entropy(batch.labels, logits)
        return each, batch.labels, logits


@value
class Standard(Method):
    """Normal training: min_theta L(f(x), y)."""
