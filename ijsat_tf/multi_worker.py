"""What Keras' `fit` lacks under `MultiWorkerMirroredStrategy`.

https://github.com/keras-team/keras/issues/20585: the first batch, a value of
each replica, is reduced to build the model, which fails; and metrics, which
are scalars, are averaged along their axis 0.
"""

from __future__ import annotations

import inspect
from typing import Any

import keras
import tensorflow as tf
from keras.src.backend.tensorflow import trainer

# Where Keras averages without an axis, there is nothing left to mend.
_METRICS_NEED_AN_AXIS = '"MEAN", v, axis=0' in inspect.getsource(
    trainer.reduce_per_replica
)


def of_several(strategy: tf.distribute.Strategy) -> bool:
    """Whether a strategy spans several workers."""
    # Keras asks the same.
    return (
        isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
        and strategy.extended._in_multi_worker_mode()
    )


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process is the one that writes files and prints."""
    if not of_several(strategy):
        return True
    resolver = strategy.cluster_resolver
    chiefs = "chief" in resolver.cluster_spec().jobs
    return resolver.task_type == "chief" or (
        not chiefs and resolver.task_id == 0
    )


class MultiWorkerModel(keras.Model):
    """A Keras model whose `fit` and `evaluate` run on several workers."""

    def _maybe_symbolic_build(
        self, iterator: Any = None, data_batch: Any = None
    ) -> None:
        strategy = self.distribute_strategy
        if iterator is not None and of_several(strategy):
            for _, _, batches in iterator:
                data_batch = tf.nest.map_structure(
                    lambda part: strategy.experimental_local_results(part)[0],
                    next(batches),
                )
                break
            iterator = None
        super()._maybe_symbolic_build(iterator, data_batch)

    def get_metrics_result(self) -> dict[str, Any]:
        found = super().get_metrics_result()
        # Outside of a step, `fit` wants the numbers as they are.
        inside = tf.distribute.has_strategy() and _METRICS_NEED_AN_AXIS
        if not inside or not of_several(tf.distribute.get_strategy()):
            return found
        return tf.nest.map_structure(lambda part: part[tf.newaxis], found)
