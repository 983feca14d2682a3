"""The base class of methods, and normal training, which attacks nothing."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from ijsat_tf import losses
from ijsat_tf.samples import Batch
from ijsat_tf.types import Value, value


@value
class Method(Value):
    """A defence in three parts: mix, craft and loss.

    All three parts are graph functions. By default nothing is mixed, nothing is
    attacked, and the cross entropy of the crafted images is minimised. A
    method of your own is a subclass with the decorator
    `@ijsat_tf.types.value`, so that Keras can save a model with the method.
    """

    def check(self, classifier: keras.Model) -> None:
        """Raises `ValueError` if this method cannot train the classifier."""

    def mixture(self, batch: Batch, seed: tf.Tensor) -> Batch:
        """Returns the samples to attack.

        Args:
            batch: Images (B, H, W, C) in [0, 1], labels (B, K) and latents.
            seed: Seed (2,), int32.
        """
        return batch

    def craft(
        self, classifier: keras.Model, batch: Batch, seed: tf.Tensor
    ) -> Any:
        """Returns the crafted images, or other tensors that `loss` needs.

        Args:
            classifier: Classifier, to be called in inference mode; no
                variable may change.
            batch: Samples that `mixture` returned.
            seed: Seed (2,), int32.
        """
        return batch.images

    def loss(
        self, classifier: keras.Model, batch: Batch, crafted: Any
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Returns the loss to minimise, and labels and logits for metrics.

        Args:
            classifier: Classifier, to be called with `training=True`.
            batch: Samples that `mixture` returned.
            crafted: Result of `craft`.

        Returns:
            Losses (B,) in nats, and the labels (B, K) and logits (B, K) that
            metrics compare.
        """
        logits = classifier(crafted, training=True)
        each = losses.cross_entropy(batch.labels, logits)
        return each, batch.labels, logits


@value
class Standard(Method):
    """Normal training on clean images, min_theta L(f(x), y)."""
