"""AdvProp: training with separate BatchNorms for attacked images."""

from __future__ import annotations

import keras
import tensorflow as tf

from ijsat_tf import checks, losses, seeds
from ijsat_tf.attacks import Attack
from ijsat_tf.samples import Batch
from ijsat_tf.training.methods.method import Method
from ijsat_tf.types import value


@value
class AdvProp(Method):
    """AdvProp: adversarial training with separate BatchNorms.

    The method minimises 1/2 L(f(x), y) + 1/2 max_delta L(f_aux(x + delta), y)
    over theta.

    f and f_aux share all weights except the weights of BatchNorm. The attack is
    on f_aux, in inference mode. Tests and metrics use f, on clean images. The
    paper adds the two losses. This method takes the mean of the losses, so
    that the learning rate of normal training fits. The most used code takes
    the mean too; there is no official code.

    Args:
        attack: Attack of the inner maximisation. No settings are published
            for the row of Table 2. The most used code takes one step of
            `PGD(Linf(1 / 255, step=1 / 255), steps=1, targeted=True)`, while
            the paper's attack, and the default of `PGD`, is untargeted. A
            targeted attack gets a class drawn at random for each image.

    Raises:
        ValueError: for an `attack` that is not an attack; when a model is made,
            for a classifier that `ijsat_tf.models.with_auxiliary_norm` did not
            make.

    Source: Xie et al., Adversarial Examples Improve Image Recognition, 2020;
    https://github.com/tingxueronghua/pytorch-classification-advprop.
    """

    attack: Attack

    def __post_init__(self):
        super().__post_init__()
        checks.require(
            isinstance(self.attack, Attack),
            "`attack` of AdvProp must be an attack, such as "
            "PGD(Linf(1 / 255, step=1 / 255), steps=1).",
            repr(self.attack),
        )

    def check(self, classifier: keras.Model) -> None:
        checks.require(
            isinstance(getattr(classifier, "auxiliary", None), keras.Model),
            "`classifier` must have two sets of BatchNorms for AdvProp; pass "
            "ijsat_tf.models.with_auxiliary_norm(classifier).",
            type(classifier).__name__,
        )

    def craft(
        self, classifier: keras.Model, batch: Batch, seed: tf.Tensor
    ) -> tf.Tensor:
        labels = batch.labels
        if self.attack.labels_are_targets:
            labels = _random_labels(labels, seeds.derive(seed, "targets"))
        return self.attack.adversarial(
            classifier.auxiliary, batch.images, labels, seed, batch.latents
        )

    def loss(
        self, classifier: keras.Model, batch: Batch, crafted: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        clean = classifier(batch.images, training=True)
        attacked = classifier.auxiliary(crafted, training=True)
        each = 0.5 * losses.cross_entropy(batch.labels, clean)
        each += 0.5 * losses.cross_entropy(batch.labels, attacked)
        return each, batch.labels, clean


def _random_labels(labels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Random one-hot labels (B, K); a sample may get its own class."""
    classes = labels.shape[-1]
    drawn = seeds.of_this_replica(
        lambda rows: tf.random.stateless_uniform(
            [rows], seed, maxval=classes, dtype=tf.int32
        ),
        tf.shape(labels)[0],
    )
    return tf.one_hot(drawn, classes)
