"""Speed and time left, by Keras' clock and by one of ours."""

import keras
import numpy as np
import pytest

import ijsat_tf as ij
from ijsat_tf.training.callbacks import throughput
from tests.conformance import catalogue


@pytest.mark.parametrize("verbose", [0, 1])
def test_a_run(images, labels, capsys, verbose):
    model = catalogue.make_model(ij.training.methods.Standard())
    logs = model.fit(
        np.repeat(images, 4, 0),
        np.repeat(labels, 4),
        batch_size=6,
        epochs=2,
        callbacks=[ij.training.Throughput(6)],
        verbose=verbose,
    ).history
    assert len(logs["images_per_second"]) == 2
    assert all(speed > 0 for speed in logs["images_per_second"])
    lines = capsys.readouterr().out.splitlines()
    (last,) = [line for line in lines if line.endswith("about 0 min left")][1:]
    # On a line of its own, and as in the logs.
    assert float(last.split()[0]) == round(logs["images_per_second"][1], 1)


def test_pauses_between_epochs_count(monkeypatch, capsys):
    now = 0
    monkeypatch.setattr(throughput.time, "perf_counter", lambda: now)
    callback = ij.training.Throughput(batch_size=10)
    callback.set_model(keras.Sequential())
    callback.set_params({"epochs": 3, "steps": 4, "verbose": 0})
    callback.on_train_begin()
    said = []
    for epoch in range(3):
        callback.on_epoch_begin(epoch)
        now += 600  # The first batch traces.
        callback.on_train_batch_end(0)
        for batch in range(1, 4):
            now += 60
            callback.on_train_batch_end(batch)
        now += 20 * 60  # Validation, after which the logs come.
        logs = {}
        callback.on_epoch_end(epoch, logs)
        assert logs["images_per_second"] == pytest.approx(10 / 60)
        said.append(capsys.readouterr().out)
        now += 10 * 60  # Callbacks that come later.
    # 4 min an epoch; 30 min after each, known once one has been seen.
    for line, minutes in zip(said, [2 * 4, 1 * 4 + 2 * 30, 0 * 4 + 1 * 30]):
        assert line == f"0.2 images/s, about {minutes} min left\n"


def test_an_epoch_of_one_batch(monkeypatch):
    """A resumed epoch may have one left; a log has the same columns."""
    now = 0
    monkeypatch.setattr(throughput.time, "perf_counter", lambda: now)
    callback = ij.training.Throughput(batch_size=10)
    callback.set_model(keras.Sequential())
    callback.set_params({"epochs": 3, "steps": 4, "verbose": 0})
    callback.on_train_begin()
    callback.on_epoch_begin(1)
    now += 60
    callback.on_train_batch_end(0)
    callback.on_epoch_end(1, logs := {})
    assert logs["images_per_second"] == pytest.approx(10 / 60)


def test_several_steps_an_execution(images, labels):
    """Of 12 steps in executions of 3, 9 come after the first."""
    model = catalogue.make_model(ij.training.methods.Standard())
    model.compile(optimizer="sgd", steps_per_execution=3)
    throughput = ij.training.Throughput(2)
    model.fit(
        np.tile(images, (4, 1, 1, 1)),
        np.tile(labels, 4),
        batch_size=2,
        verbose=0,
        callbacks=[throughput],
    )
    assert throughput.batches == 9


def test_a_line_per_minute_where_no_bar_moves(monkeypatch, capsys):
    now = 0
    monkeypatch.setattr(throughput.time, "perf_counter", lambda: now)
    callback = ij.training.Throughput(batch_size=10)
    callback.set_model(keras.Sequential())
    callback.set_params({"epochs": 2, "steps": 6, "verbose": 2})
    callback.on_train_begin()
    callback.on_epoch_begin(0)
    for batch in range(5):
        now += 40
        callback.on_train_batch_end(batch)
    # 2, 4, ... min after the first batch; 15 images a minute, 60 an epoch.
    assert capsys.readouterr().out.splitlines() == [
        "epoch 1, step 2 of 6: 0.2 images/s, about 7 min left",
        "epoch 1, step 4 of 6: 0.2 images/s, about 5 min left",
    ]


def test_a_resumed_epoch_counts_the_steps_before(monkeypatch, capsys):
    now = 0
    monkeypatch.setattr(throughput.time, "perf_counter", lambda: now)
    callback = ij.training.Throughput(batch_size=10, first_step=4)
    callback.set_model(keras.Sequential())
    callback.set_params({"epochs": 3, "steps": 6, "verbose": 2})
    callback.on_train_begin()
    for epoch, steps in ((1, 2), (2, 6)):
        callback.on_epoch_begin(epoch)
        for batch in range(steps):
            now += 60
            callback.on_train_batch_end(batch)
        callback.on_epoch_end(epoch, {})
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "epoch 2, step 6 of 6: 0.2 images/s, about 6 min left"
    assert said[2] == "epoch 3, step 2 of 6: 0.2 images/s, about 4 min left"
