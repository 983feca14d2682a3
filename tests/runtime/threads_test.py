"""Attacks on a CPU need one thread per operation."""

import pytest
import tensorflow as tf

from ijsat_tf.runtime import threads


@pytest.mark.parametrize(
    ("given", "gpus", "expected"),
    [(None, [], 1), ("4", [], 4), (None, ["GPU"], None)],
)
def test_threads(monkeypatch, given, gpus, expected):
    found = []
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS", raising=False)
    if given:
        monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", given)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: gpus)
    monkeypatch.setattr(
        tf.config.threading,
        "set_intra_op_parallelism_threads",
        found.append,
    )
    threads.one_core_per_operation()
    assert found == ([] if expected is None else [expected])


def test_all_cores_again(monkeypatch):
    found = []
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS", raising=False)
    threading = tf.config.threading
    monkeypatch.setattr(
        threading, "get_intra_op_parallelism_threads", lambda: 1
    )
    monkeypatch.setattr(
        threading, "set_intra_op_parallelism_threads", found.append
    )
    threads.all_cores_per_operation()
    assert found == [0]


def test_the_present_number_may_be_set_again(monkeypatch):
    tf.constant(1)
    present = tf.config.threading.get_intra_op_parallelism_threads()
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", str(present))
    threads.one_core_per_operation()
