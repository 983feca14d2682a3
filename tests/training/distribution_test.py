import pytest
import tensorflow as tf

import ijsat_tf as ij


def test_names():
    plain = tf.distribute.get_strategy()
    assert ij.training.strategy("none") is plain
    # No machine that runs the tests needs to have GPUs.
    if len(tf.config.list_logical_devices("GPU")) < 2:
        assert ij.training.strategy("auto") is plain
    with pytest.raises(ValueError, match="'mirrored'"):
        ij.training.strategy("tpu")


def test_mirrored_takes_all_devices():
    strategy = ij.training.strategy("mirrored")
    gpus = tf.config.list_logical_devices("GPU")
    expected = len(gpus) or len(tf.config.list_logical_devices("CPU"))
    assert strategy.num_replicas_in_sync == expected


def test_workers_are_named_by_the_environment(monkeypatch):
    with pytest.raises(ValueError, match="TF_CONFIG.*None"):
        ij.training.strategy("multi_worker")
    for wrong in ("", "{", "[]", '{"cluster": 3}'):
        monkeypatch.setenv("TF_CONFIG", wrong)
        with pytest.raises(ValueError, match="needs the environment"):
            ij.training.strategy("multi_worker")
