"""Metrics that compare classes, for labels of any form."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from ijsat_tf.types import Tensor

_SPARSE = (
    keras.metrics.SparseCategoricalAccuracy,
    keras.metrics.SparseCategoricalCrossentropy,
    keras.metrics.SparseTopKCategoricalAccuracy,
)
_SPARSE_FUNCTIONS = (
    keras.metrics.sparse_categorical_accuracy,
    keras.metrics.sparse_categorical_crossentropy,
    keras.metrics.sparse_top_k_categorical_accuracy,
)


@keras.saving.register_keras_serializable("ijsat_tf")
class OfClasses(keras.metrics.Metric):
    """A metric that compares classes (B,), and also takes labels (B, K).

    The class of a label (B, K) is the class of its largest entry.

    Args:
        metric: Metric that compares classes (B,) with logits (B, K).
    """

    def __init__(self, metric: keras.metrics.Metric):
        super().__init__(name=metric.name, dtype=metric.dtype)
        self.metric = metric

    def update_state(
        self,
        y_true: Tensor,
        y_pred: Tensor,
        sample_weight: Tensor | None = None,
    ) -> None:
        if len(y_true.shape) == 2 and y_true.shape[1] > 1:
            y_true = keras.ops.argmax(y_true, axis=1)
        self.metric.update_state(y_true, y_pred, sample_weight)

    def result(self) -> Any:
        return self.metric.result()

    def reset_state(self) -> None:
        self.metric.reset_state()

    def get_config(self) -> dict[str, Any]:
        return {"metric": keras.saving.serialize_keras_object(self.metric)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> OfClasses:
        return cls(keras.saving.deserialize_keras_object(config["metric"]))


def of_any_labels(metrics: Any) -> Any:
    """Metrics for `compile` that take labels of any form.

    Metrics of classes are wrapped in `OfClasses`; all others stay as they are.

    Args:
        metrics: Structure of names, functions and metrics, or None.
            "accuracy" counts as a metric of classes, because Keras compares
            the heaviest class of labels (B, K) too.
    """
    return tf.nest.map_structure(_of_any_labels, metrics)


def _of_any_labels(metric: Any) -> Any:
    if metric is None:
        return None
    if str(metric).lower() in ("accuracy", "acc"):
        found = keras.metrics.SparseCategoricalAccuracy(name=str(metric))
    elif metric in _SPARSE_FUNCTIONS:
        found = keras.metrics.MeanMetricWrapper(metric, metric.__name__)
    else:
        found = keras.metrics.get(metric)
        if not isinstance(found, _SPARSE):
            return metric
    return OfClasses(found)


def in_form_of(given: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """The heaviest classes of mixed labels, in the form of the user's labels.

    Args:
        given: Labels (B,), (B, 1) or (B, K).
        labels: Labels (B, K) of the mixture.

    Returns:
        Classes (B,) or (B, 1), or their one-hot rows (B, K).
    """
    classes = tf.argmax(labels, axis=1)
    if given.shape.rank == 1:
        return classes
    if given.shape[1] == 1:
        return classes[:, tf.newaxis]
    return tf.one_hot(classes, labels.shape[1])
