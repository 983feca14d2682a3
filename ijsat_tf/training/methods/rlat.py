"""RLAT: one attack step on the image and on the activations of every stage."""

from __future__ import annotations

import keras
import tensorflow as tf

from ijsat_tf import checks, losses, models
from ijsat_tf.samples import Batch
from ijsat_tf.spaces import L2
from ijsat_tf.training.methods.method import Method
from ijsat_tf.types import value


@value
class RLAT(Method):
    """Relaxed LPIPS adversarial training (RLAT), min_theta L(f_d(x), y).

        f_d(x) = f_n(... f_1(f_0(clip(x + d_0)) + d_1) ... + d_n),
        d_i = epsilon_i g_i / |g_i|_2,  g_i = dL / d(input of f_i) at x,
        epsilon_i = epsilon size_i / size_0 / (i + 1).

    f_0 to f_n are the classifier's stages, and size_i is the number of values
    per sample at the input of f_i. Both passes are in training mode, as in the
    official code: the gradients go through BatchNorm's batch statistics, and
    the moving statistics move twice per step. Therefore the first pass is part
    of `loss`. Metrics see the second pass.

    The changes are small compared with the rounding errors of bfloat16; the
    official code computes in float32.

    Args:
        epsilon: Radius for the image, default 0.08, as for the published model.
        layers: Names of the classifier's layers whose outputs are perturbed,
            as for `ijsat_tf.models.stages`; None, the default, for the layers
            of our own classifiers: `stem`, `stage1` and so on.

    Raises:
        ValueError: for a negative `epsilon`; when a model is made, for a
            classifier that cannot be cut behind `layers`.

    Source: Kireev et al., On the Effectiveness of Adversarial Training against
    Common Corruptions, 2022;
    https://github.com/tml-epfl/adv-training-corruptions.
    """

    epsilon: float = 0.08
    layers: tuple[str, ...] | None = None

    def __post_init__(self):
        super().__post_init__()
        checks.not_negative("epsilon", self.epsilon)

    def check(self, classifier: keras.Model) -> None:
        models.stages(classifier, self.layers)

    def loss(
        self, classifier: keras.Model, batch: Batch, crafted: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        stages = models.stages(classifier, self.layers)
        changes = self._changes(stages, batch)
        x = tf.clip_by_value(batch.images + changes[0], 0.0, 1.0)
        for stage, change in zip(stages, changes[1:]):
            x = stage(x, training=True)
            x += tf.cast(change, x.dtype)
        logits = stages[-1](x, training=True)
        each = losses.cross_entropy(batch.labels, logits)
        return each, batch.labels, logits

    def _changes(
        self, stages: list[keras.Model], batch: Batch
    ) -> list[tf.Tensor]:
        """The changes d_0 to d_n."""
        inputs, x = [], batch.images
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            for stage in stages:
                tape.watch(x)
                inputs.append(x)
                x = stage(x, training=True)
            loss = tf.reduce_sum(losses.cross_entropy(batch.labels, x))
        changes = []
        for place, gradient in enumerate(tape.gradient(loss, inputs)):
            if gradient.dtype.size < 4:
                gradient = tf.cast(gradient, tf.float32)
            size = tf.size(gradient) / tf.size(batch.images)
            radius = self.epsilon * tf.cast(size, gradient.dtype) / (place + 1)
            change = radius * L2(1.0).direction(gradient)
            changes.append(tf.stop_gradient(change))
        return changes
