"""MART: adversarial training in which misclassified examples count more."""

from __future__ import annotations

import keras
import tensorflow as tf

from ijsat_tf import checks, losses
from ijsat_tf.samples import Batch
from ijsat_tf.training.methods.at import AT
from ijsat_tf.types import value


@value
class MART(AT):
    """MART: misclassification-aware adversarial training.

    The method minimises BCE(p(x^), y) + beta KL(p(x) || p(x^)) (1 - p(x)_y)
    over theta.

    BCE(p, y) = -log p_y - log(1 - max_{k != y} p_k) is the boosted cross
    entropy with p = softmax(f). Gradients flow through the whole loss, the
    weight 1 - p(x)_y included. The constants 1.0001, 1.0000001 and 1e-12 in
    the code are the official code's. Metrics see the attacked images.

    Args:
        attack: Attack of the inner maximisation, on the cross entropy; with
            `JointSpaceAttack` the method is the paper's MART + JSA. The
            official code starts from x + 0.001 N(0, 1), and an attack here
            starts in its own way.
        beta: Weight of the divergence, default 6, the paper's (the official
            script for ResNet-18 has 5).

    Raises:
        ValueError: for settings out of range; in training for soft labels,
            for which the loss is not defined.

    Source: Wang et al., Improving Adversarial Robustness Requires Revisiting
    Misclassified Examples, 2020; https://github.com/YisenWang/MART.
    """

    beta: float = 6.0

    def __post_init__(self):
        super().__post_init__()
        checks.not_negative("beta", self.beta)

    def mixture(self, batch: Batch, seed: tf.Tensor) -> Batch:
        heaviest = tf.reduce_max(batch.labels, axis=1)
        checked = checks.require(
            tf.reduce_all(heaviest > 0.999),
            "MART needs hard labels, one class per sample; use AT or TRADES "
            "for soft labels. The number is the smallest weight of a label's "
            "class.",
            tf.reduce_min(heaviest),
        )
        # BatchNorm must not see the images before the check.
        return batch._replace(
            images=checks.after(checked, batch.images),
            labels=checks.after(checked, batch.labels),
        )

    def loss(
        self, classifier: keras.Model, batch: Batch, crafted: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        natural = tf.cast(classifier(batch.images, training=True), tf.float32)
        logits = tf.cast(classifier(crafted, training=True), tf.float32)
        natural = tf.nn.log_softmax(natural)
        attacked = tf.nn.softmax(logits)
        wrong = tf.reduce_max(attacked * (1 - batch.labels), axis=1)
        boosted = losses.cross_entropy(batch.labels, logits)
        boosted -= tf.math.log(1.0001 - wrong + 1e-12)
        divergence = tf.reduce_sum(
            tf.exp(natural) * (natural - tf.math.log(attacked + 1e-12)), axis=1
        )
        right = tf.reduce_sum(batch.labels * tf.exp(natural), axis=1)
        each = boosted + self.beta * divergence * (1.0000001 - right)
        return each, batch.labels, logits
