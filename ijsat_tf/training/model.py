"""A Keras model that trains a classifier by a method."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from ijsat_tf import checks, losses, seeds
from ijsat_tf.attacks import as_logits
from ijsat_tf.models import logits
from ijsat_tf.runtime.step_model import StepModel
from ijsat_tf.samples import Batch, images_and_latents
from ijsat_tf.training.methods import Method
from ijsat_tf.training.of_classes import in_form_of, of_any_labels
from ijsat_tf.types import restored


@keras.saving.register_keras_serializable("ijsat_tf")
class AdversarialModel(StepModel):
    """A Keras model that trains a classifier by a method.

    `fit` takes x: images (B, H, W, C) in [0, 1], or {"image": ..., "latent":
    ...} where latents come with the data, and y: (B,) ints or (B, K) soft
    labels. `evaluate` tests the classifier on clean images, and a call of the
    model is a call of the classifier. Metrics get y as it was given;
    "accuracy" and sparse metrics get the classes of y. During training the
    metrics see the samples that the method trains on. The label of a mixture
    is then its heavier class, an int or one-hot as y is.

    Generators inside the method are saved with the model. The model does not
    train the generators, and does not change their `trainable`.

    Args:
        classifier: Classifier from images in [0, 1] to logits (B, K).
        method: Method of training, one of `ijsat_tf.training.methods`.
        seed: Random seed of the training, default 0.
        **kwargs: Further arguments of `keras.Model`, such as `name`.

    Raises:
        ValueError: for a `method` that is not a method, or that cannot train
            this classifier.
    """

    def __init__(
        self,
        classifier: keras.Model,
        method: Method,
        seed: int = 0,
        **kwargs: Any,
    ):
        # The classifier casts the images; attacks need float32 images.
        super().__init__(autocast=False, **kwargs)
        checks.require(
            isinstance(method, Method),
            "`method` must be one of ijsat_tf.training.methods, such as "
            "AT(attack).",
            repr(method),
        )
        method.check(classifier)
        _warn_of_probabilities(classifier)
        self.classifier = classifier
        self.method = method
        self.generators = method.networks()
        self.seed = seed
        self.built = classifier.built

    def compile(
        self,
        *args: Any,
        metrics: Any = None,
        weighted_metrics: Any = None,
        **kwargs: Any,
    ) -> None:
        """Compiles the model as `StepModel.compile` does.

        Args:
            *args: Optimizer, e.g. `ijsat_tf.training.SGD`.
            metrics: Metrics as Keras takes them, e.g. ["accuracy"]; default
                None.
            weighted_metrics: Weighted metrics as Keras takes them, default
                None.
            **kwargs: Further arguments of `StepModel.compile`.

        Raises:
            ValueError: as `StepModel.compile` does.
        """
        super().compile(
            *args,
            metrics=of_any_labels(metrics),
            weighted_metrics=of_any_labels(weighted_metrics),
            **kwargs,
        )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Builds the classifier if it is not built yet.

        Args:
            input_shape: Shape of the images, (B, H, W, C).
        """
        if not self.classifier.built:
            self.classifier.build(input_shape)
        self.built = True

    def call(self, x: Any, training: bool | None = None) -> tf.Tensor:
        """Returns the classifier's logits (B, K) of clean images."""
        images, _ = images_and_latents(x)
        return self.classifier(images, training=training)

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        given, y = self._batch(data)
        seed = seeds.derive(self.seed, "train", self.optimizer.iterations)
        batch = self.method.mixture(given, seeds.derive(seed, "mix"))
        crafted = self.method.craft(
            self.classifier, batch, seeds.derive(seed, "craft")
        )
        with tf.GradientTape() as tape:
            each, labels, outputs = self.method.loss(
                self.classifier, batch, crafted
            )
            checks.require(
                each.shape.rank == 1,
                "`loss` of the method must return one number per sample, (B,); "
                "return the losses without a mean over the batch.",
                f"shape {each.shape}",
            )
            each = self._regularized(each)
            loss = checks.finite(losses.global_mean(each), "The loss")
            scaled = self.optimizer.scale_loss(loss)
        variables = self.trainable_variables
        gradients = tape.gradient(scaled, variables)
        # Gradients do not depend on the check of the loss; the update waits.
        with tf.control_dependencies([loss]):
            self.optimizer.apply(gradients, variables)
        self._loss_tracker.update_state(each)
        if labels is not given.labels:
            y = in_form_of(y, labels)
        return self.compute_metrics(batch.images, y, outputs)

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        batch, y = self._batch(data)
        outputs = self.classifier(batch.images, training=False)
        each = losses.cross_entropy(batch.labels, outputs)
        self._loss_tracker.update_state(self._regularized(each))
        return self.compute_metrics(batch.images, y, outputs)

    @property
    def trainable_weights(self) -> list[keras.Variable]:
        return self.classifier.trainable_weights if self.trainable else []

    @property
    def trainable_variables(self) -> list[keras.Variable]:
        return self.classifier.trainable_variables if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[keras.Variable]:
        trained = {id(weight) for weight in self.trainable_weights}
        return [w for w in self.weights if id(w) not in trained]

    @property
    def non_trainable_variables(self) -> list[keras.Variable]:
        trained = {id(weight) for weight in self.trainable_variables}
        return [v for v in self.variables if id(v) not in trained]

    def export(self, *args: Any, **kwargs: Any) -> Any:
        """Exports the classifier by Keras, from images to logits (B, K)."""
        return self.classifier.export(*args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "classifier": self.classifier,
            "method": self.method,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> AdversarialModel:
        classifier = config["classifier"]
        if isinstance(classifier, keras.Model):
            # A config holds no weights. A classifier in a config that was not
            # saved is copied, so that the two models share no weights.
            classifier = keras.saving.serialize_keras_object(classifier)
        settings = {
            "classifier": keras.saving.deserialize_keras_object(classifier),
            "method": restored(config["method"]),
        }
        return cls(**{**config, **settings})

    def _regularized(self, each: tf.Tensor) -> tf.Tensor:
        """The losses (B,) plus the penalties of the regularizers."""
        for penalty in self.classifier.losses:
            each += tf.cast(penalty, each.dtype)
        return each

    def _batch(self, data: Any) -> tuple[Batch, tf.Tensor]:
        """Returns the samples for the method, and y for the metrics."""
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        checks.require(
            weight is None,
            "`sample_weight` and `class_weight` must be None, because the "
            "weight of a mixture of two samples is not defined.",
        )
        checks.require(
            y is not None, "`y` must be labels: call `fit(images, labels)`."
        )
        images, latents = images_and_latents(x)
        shape = getattr(self.classifier, "input_shape", None)
        single = isinstance(shape, tuple) and len(shape) == 4
        images = checks.images(images, shape=shape[1:] if single else None)
        classes = as_logits(self.classifier)(images[:1]).shape[-1]
        self.built = True
        labels = checks.one_hot(checks.one_a_row(y, images), classes)
        with tf.control_dependencies([labels]):
            # BatchNorm must not see images whose labels are wrong.
            images = tf.identity(images)
            y = tf.identity(y)
        return Batch(images, labels, latents), y


def _warn_of_probabilities(classifier: keras.Model) -> None:
    try:
        gives_logits = logits(classifier) is classifier
    except ValueError:
        return  # The last layer of such a model cannot be inspected.
    if not gives_logits:
        checks.warn(
            "The classifier ends in a softmax or in a single output, and "
            "training needs logits. Use ijsat_tf.models.logits(classifier)."
        )
