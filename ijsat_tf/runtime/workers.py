"""Training with several workers, and fixes of Keras' `fit` for it.

The fixes are for `MultiWorkerMirroredStrategy`, see
https://github.com/keras-team/keras/issues/20585: Keras reduces the first batch,
a value per replica, to build the model, which fails; and it averages metrics,
which are scalars, along their axis 0.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ijsat_tf import checks


def of_several(strategy: tf.distribute.Strategy) -> bool:
    """Whether a strategy spans several workers."""
    # Keras makes the same check.
    return (
        isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
        and strategy.extended._in_multi_worker_mode()
    )


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process writes files and prints."""
    if not of_several(strategy):
        return True
    resolver = strategy.cluster_resolver
    chiefs = "chief" in resolver.cluster_spec().jobs
    return resolver.task_type == "chief" or (
        not chiefs and resolver.task_id == 0
    )


def of_all(
    strategy: tf.distribute.Strategy, numbers: Sequence[int]
) -> np.ndarray:
    """Gathers the numbers of every worker, (replicas, N).

    All workers must call this function at the same point, and each worker
    waits for the others.

    Args:
        strategy: Strategy with one or several workers. With one worker, the
            result is the given numbers.
        numbers: Numbers of this worker, N of them.
    """
    if not of_several(strategy):
        return np.array([numbers])
    mine = tf.constant([numbers], tf.int64)
    found = strategy.experimental_local_results(_gather(strategy)(mine))
    return found[0].numpy()


@functools.lru_cache(maxsize=1)
def _gather(strategy: tf.distribute.Strategy) -> Callable:
    def each(mine: tf.Tensor) -> tf.Tensor:
        # `identity` gives the input a device, which gathering needs.
        mine = tf.identity(mine)
        return tf.distribute.get_replica_context().all_gather(mine, axis=0)

    return tf.function(
        lambda mine: strategy.run(each, args=(mine,)), autograph=False
    )


@contextlib.contextmanager
def needing_all(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """A context in which the end of another worker raises a clear error.

    Args:
        strategy: Strategy with several workers; with one worker, nothing is
            changed.

    Raises:
        ConnectionError: if another worker is gone; this error is an `OSError`.
    """
    try:
        yield
    except (tf.errors.UnavailableError, tf.errors.AbortedError) as error:
        if not of_several(strategy):
            raise
        raise ConnectionError(
            "another worker has ended or cannot be reached; the output of "
            "that worker says why. Start all workers again by the same "
            "commands: training goes on from the last checkpoint."
        ) from error


def require_equal(
    strategy: tf.distribute.Strategy, given: str, expected: str
) -> None:
    """Waits for all workers, and raises `ValueError` unless they agree.

    Args:
        strategy: Strategy of the workers; with a single worker, nothing
            happens.
        given: Text that must be the same on each worker.
        expected: Sentence that says what was expected, for the message.

    Raises:
        ValueError: on all workers, if they differ.
    """
    found = of_all(strategy, [zlib.crc32(given.encode())])
    checks.require(
        (found == found[0]).all(), f"{expected} This worker differs.", given
    )


@functools.cache
def _metrics_need_an_axis() -> bool:
    # A Keras that averages without an axis needs no fix.
    from keras.src.backend.tensorflow import trainer

    source = inspect.getsource(trainer.reduce_per_replica)
    return '"MEAN", v, axis=0' in source


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
        inside = tf.distribute.has_strategy()
        if not inside or not of_several(tf.distribute.get_strategy()):
            return found
        if not _metrics_need_an_axis():
            return found
        return tf.nest.map_structure(lambda part: part[tf.newaxis], found)
