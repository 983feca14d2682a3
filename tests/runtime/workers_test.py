"""Who is chief, and what is said of other workers, which are made up here.

Those of `tests/conformance/workers_test.py` are real.
"""

import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.runtime import workers
from tests import tiny


class Cluster(tf.distribute.MultiWorkerMirroredStrategy):
    """The place of one worker in a cluster that does not run."""

    def __init__(self, jobs, job, task, several=True):
        self.place = jobs, job, task
        self.several = several

    @property
    def cluster_resolver(self):
        jobs, job, task = self.place
        return tf.distribute.cluster_resolver.SimpleClusterResolver(
            tf.train.ClusterSpec(jobs), task_type=job, task_id=task
        )

    @property
    def extended(self):
        return types.SimpleNamespace(_in_multi_worker_mode=lambda: self.several)


TWO = {"worker": ["a:1", "b:1"]}
LED = {"chief": ["a:1"], "worker": ["b:1", "c:1"]}


@pytest.mark.parametrize(
    ("jobs", "job", "task", "expected"),
    [
        (TWO, "worker", 0, True),
        (TWO, "worker", 1, False),
        (LED, "chief", 0, True),
        (LED, "worker", 0, False),
        (LED, "worker", 1, False),
    ],
)
def test_one_worker_of_a_cluster_is_chief(jobs, job, task, expected):
    cluster = Cluster(jobs, job, task)
    assert workers.of_several(cluster)
    assert workers.is_chief(cluster) == expected


def alone():
    return [
        tf.distribute.get_strategy(),
        tiny.two_replicas(),
        Cluster({"worker": ["a:1"]}, "worker", 0, several=False),
    ]


def test_a_process_alone_is_chief_and_gathers_its_own_numbers():
    for strategy in alone():
        assert not workers.of_several(strategy)
        assert workers.is_chief(strategy)
        np.testing.assert_array_equal(
            workers.of_all(strategy, [3, 1, 4]), [[3, 1, 4]]
        )
        workers.require_equal(strategy, "anything", "Give the same.")


@pytest.mark.parametrize(
    "error", [tf.errors.UnavailableError, tf.errors.AbortedError]
)
def test_the_end_of_another_worker_has_a_clear_error(error):
    lost = error(None, None, "connection reset")
    with pytest.raises(ConnectionError, match="another worker has ended.*on"):
        with workers.needing_all(Cluster(TWO, "worker", 1)):
            raise lost
    for strategy in alone():
        with pytest.raises(error) as caught, workers.needing_all(strategy):
            raise lost
        assert caught.value is lost
    with pytest.raises(KeyError):
        with workers.needing_all(Cluster(TWO, "worker", 1)):
            raise KeyError


def test_workers_with_different_texts_are_stopped(monkeypatch):
    """Workers come one by one here, and see those that came before."""

    def gather(strategy, numbers):
        found.append(numbers)
        return np.array(found)

    found = []
    monkeypatch.setattr(workers, "of_all", gather)
    for task, given in enumerate(["--epsilon=1", "--epsilon=1"]):
        cluster = Cluster(LED, "worker", task)
        workers.require_equal(cluster, given, "Give the same.")
    with pytest.raises(ValueError, match="Give the same.*: --epsilon=2"):
        cluster = Cluster(LED, "chief", 0)
        workers.require_equal(cluster, "--epsilon=2", "Give the same.")


def make_linear(base, **settings):
    """A class of its own: Keras changes the bases of functional ones."""

    class Linear(base):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def call(self, x):
            return self.dense(x)

    keras.utils.set_random_seed(0)
    model = Linear()
    model.compile("sgd", "mse", run_eagerly=True, **settings)
    return model


def test_alone_it_trains_as_keras_does():
    x = np.random.default_rng(0).normal(size=(12, 2)).astype("float32")
    y = x.sum(1, keepdims=True)
    found = []
    for kind in (keras.Model, workers.MultiWorkerModel):
        model = make_linear(kind, metrics=["mae"])
        logs = model.fit(x, y, batch_size=4, epochs=2, verbose=0).history
        found.append({**logs, "tested": model.evaluate(x, y, verbose=0)})
    assert set(found[0]) == {"loss", "mae", "tested"}
    for name, expected in found[0].items():
        np.testing.assert_allclose(found[1][name], expected, rtol=1e-6)


def test_metrics_of_a_step_are_averaged_as_keras_does(monkeypatch):
    """Over an axis that they have only where several workers need it."""
    from keras.src.backend.tensorflow import trainer

    strategy = tiny.two_replicas()
    with strategy.scope():
        model = make_linear(workers.MultiWorkerModel)
        model._loss_tracker.update_state(0.75)

    def averaged():
        logs = strategy.run(model.get_metrics_result)
        return trainer.reduce_per_replica(logs, strategy, reduction="auto")

    assert averaged()["loss"].shape == ()
    monkeypatch.setattr(workers, "of_several", lambda strategy: True)
    monkeypatch.setattr(
        trainer, "_collective_all_reduce_multi_worker", lambda strategy: True
    )
    assert float(averaged()["loss"]) == pytest.approx(0.75)
    assert float(model.get_metrics_result()["loss"]) == pytest.approx(0.75)
