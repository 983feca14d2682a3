"""TRADES: accuracy on clean images, and stable outputs around them."""

from __future__ import annotations

import keras
import tensorflow as tf

from ijsat_tf import checks, losses
from ijsat_tf.samples import Batch
from ijsat_tf.training.methods.at import AT, predictions
from ijsat_tf.types import value


@value
class TRADES(AT):
    """TRADES: a trade-off between accuracy and robustness.

    The method minimises L(f(x), y) + beta max_x^ KL(f(x) || f(x^)) over theta.

    The attack maximises the cross entropy with the labels softmax(f(x)); its
    gradient by x^ is that of the divergence. Gradients of the loss flow
    through both arguments of the divergence. Metrics see the attacked images.

    Args:
        attack: Attack of the inner maximisation; with `JointSpaceAttack` the
            method is the paper's TRADES + JSA. The official code starts from
            x + 0.001 N(0, 1), and an attack here starts in its own way.
        beta: Weight of the divergence, default 6, the paper's.

    Raises:
        ValueError: for settings out of range.

    Source: Zhang et al., Theoretically Principled Trade-off between
    Robustness and Accuracy, 2019; https://github.com/yaodongyu/TRADES.
    """

    beta: float = 6.0

    def __post_init__(self):
        super().__post_init__()
        checks.not_negative("beta", self.beta)

    def craft(
        self, classifier: keras.Model, batch: Batch, seed: tf.Tensor
    ) -> tf.Tensor:
        natural = predictions(classifier, batch.images)
        return super().craft(classifier, batch._replace(labels=natural), seed)

    def loss(
        self, classifier: keras.Model, batch: Batch, crafted: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        # One pass for each kind of image, so that BatchNorm sees clean and
        # attacked images separately; the official code repeats the clean pass.
        natural = classifier(batch.images, training=True)
        attacked = classifier(crafted, training=True)
        each = losses.cross_entropy(batch.labels, natural)
        each += self.beta * losses.kl_divergence(natural, attacked)
        return each, batch.labels, attacked
