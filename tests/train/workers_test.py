"""Two processes that train one network, as on two machines."""

import json
import os
import shutil
import signal

import keras
import numpy as np
import pytest

import ijsat_tf as ij
from tests.commands import Running, main
from tests.conformance.workers_test import free_ports

AT = [
    "--dataset=digits",
    "--augment=none",
    "--method=at",
    "--model=small_cnn",
    "--width=4",
    "--attack_steps=2",
    "--epsilon=3/20",
    "--train_examples=192",
    "--batch_size=16",
    "--epochs=2",
    "--drops=",
    "--precision=float32",
    "--strategy=multi_worker",
]
SAVED = "checkpoints/step-{:09d}.weights.h5"


def worker(task, ports, arguments):
    cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
    task = {"type": "worker", "index": task}
    os.environ["TF_CONFIG"] = json.dumps({"cluster": cluster, "task": task})
    main("train", arguments)


def start(folder, *arguments):
    ports = free_ports(2)
    arguments = [*AT, f"--workdir={folder}", *arguments]
    return [Running(worker, task, ports, arguments) for task in range(2)]


def finish(workers):
    outcomes = [each.outcome(240) for each in workers]
    for each in outcomes:
        assert each.code == 0, each.output
    return outcomes


def weights(folder):
    return keras.saving.load_model(folder / "classifier.keras").get_weights()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workers") / "run"
    chief, other = finish(start(folder))
    # One of them writes, shows progress and prints.
    test = ij.data.load("digits", "test")
    model = keras.saving.load_model(folder / "classifier.keras")
    right = np.mean(model.predict(test.scaled()).argmax(axis=1) == test.labels)
    assert f"on 360 test images: accuracy {right:.4f}" in chief.output
    assert "test images" not in other.output
    assert "12/12" not in other.output
    return folder


@pytest.mark.variant
def test_a_worker_killed_ends_the_other_and_both_go_on(undisturbed, tmp_path):
    folder = tmp_path / "run"
    chief, other = start(folder, "--checkpoint_every=0")
    # In the middle of the first epoch, of the second in what follows.
    other.stop(signal.SIGKILL, folder / SAVED.format(5))
    assert "another worker has ended" in chief.outcome(60).error
    assert other.outcome().code == -signal.SIGKILL
    chief, other = start(folder, "--checkpoint_every=0")
    chief.stop(signal.SIGKILL, folder / SAVED.format(17))
    assert "another worker has ended" in other.outcome(60).error
    chief, other = finish(start(folder))
    assert "resuming" in chief.output
    assert "resuming" in other.output
    for one, same in zip(weights(undisturbed), weights(folder)):
        np.testing.assert_allclose(one, same, atol=1e-6)


def test_a_signal_to_one_stops_both(tmp_path):
    folder = tmp_path / "run"
    chief, other = start(folder, "--checkpoint_every=0", "--epochs=100")
    other.stop(signal.SIGTERM, folder / SAVED.format(3))
    for each in chief, other:
        found = each.outcome(60)
        assert found.code == -signal.SIGTERM, found.output
        assert "saved in" in found.output


@pytest.mark.variant
def test_workers_must_see_the_same_folder(undisturbed, tmp_path):
    ports = free_ports(2)
    shutil.copytree(undisturbed, tmp_path / "copy")
    shutil.rmtree(tmp_path / "copy" / "checkpoints")
    workers = [
        Running(worker, task, ports, [*AT, f"--workdir={folder}"])
        for task, folder in enumerate([undisturbed, tmp_path / "copy"])
    ]
    for each in workers:
        assert "file system that all workers see" in each.outcome(60).error


def test_workers_must_have_the_same_settings(tmp_path):
    ports = free_ports(2)
    workers = [
        Running(
            worker,
            task,
            ports,
            [*AT, f"--workdir={tmp_path / 'run'}", f"--seed={task}"],
        )
        for task in range(2)
    ]
    for each in workers:
        assert "same for all workers" in each.outcome(60).error
