"""Several workers: which one writes, what they agree on, and what Keras' `fit`
lacks under `MultiWorkerMirroredStrategy`.

https://github.com/keras-team/keras/issues/20585: the first batch, a value of
each replica, is reduced to build the model, which fails; and metrics, which
are scalars, are averaged along their axis 0.
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


def of_all(
    strategy: tf.distribute.Strategy, numbers: Sequence[int]
) -> np.ndarray:
    """The numbers of every worker, (replicas, N).

    All workers must ask at the same moment, and each waits for the others.

    Args:
        strategy: with several workers or not; then they are those given.
        numbers: N of this worker.
    """
    if not of_several(strategy):
        return np.array([numbers])
    mine = tf.constant([numbers], tf.int64)
    found = strategy.experimental_local_results(_gather(strategy)(mine))
    return found[0].numpy()


@functools.lru_cache(maxsize=1)
def _gather(strategy: tf.distribute.Strategy) -> Callable:
    def each(mine: tf.Tensor) -> tf.Tensor:
        # An input has no device yet, and so no one to gather for.
        mine = tf.identity(mine)
        return tf.distribute.get_replica_context().all_gather(mine, axis=0)

    return tf.function(
        lambda mine: strategy.run(each, args=(mine,)), autograph=False
    )


@contextlib.contextmanager
def needing_all(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """Within, the end of another worker is an error that says what to do.

    Args:
        strategy: with several workers; with one nothing is changed.

    Raises:
        ConnectionError: an `OSError`, when another worker is gone.
    """
    try:
        yield
    except (tf.errors.UnavailableError, tf.errors.AbortedError) as error:
        if not of_several(strategy):
            raise
        raise ConnectionError(
            "another worker has ended, or cannot be reached; its own output "
            "says why. Start all workers again, each by its command: they go "
            "on from what is saved."
        ) from error


def require_equal(
    strategy: tf.distribute.Strategy, given: str, expected: str
) -> None:
    """Waits for all workers, and raises `ValueError` unless they agree.

    Args:
        strategy: of the workers; of a single one, nothing happens.
        given: what must be the same on each.
        expected: a sentence, for the message.

    Raises:
        ValueError: on all of them.
    """
    found = of_all(strategy, [zlib.crc32(given.encode())])
    checks.require(
        (found == found[0]).all(), f"{expected} Here it is another.", given
    )


@functools.cache
def _metrics_need_an_axis() -> bool:
    # Where Keras averages without an axis, there is nothing left to mend.
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
