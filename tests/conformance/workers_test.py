"""Two workers = one machine with two replicas, and one of them writes."""

import json
import os
import pathlib
import socket
import subprocess
import sys

import numpy as np
import pytest

import ijsat_tf as ij

SCRIPT = pathlib.Path(__file__).with_name("worker.py")


def free_ports(count):
    """Of this machine; held together, so that they differ."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def start(*arguments, **environment):
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), *map(str, arguments)],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process):
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output


@pytest.mark.variant
def test_two_workers_do_what_two_replicas_do(tmp_path):
    cluster = {"worker": [f"127.0.0.1:{port}" for port in free_ports(2)]}
    files = [tmp_path / f"{name}.npz" for name in ("first", "second", "one")]
    workers = [
        start(
            files[index],
            TF_CONFIG=json.dumps(
                {"cluster": cluster, "task": {"type": "worker", "index": index}}
            ),
        )
        for index in range(2)
    ]
    for worker in workers:
        finish(worker)
    finish(start(files[2], "mirrored"))
    first, second, one = [np.load(file) for file in files]
    assert first["replicas"] == one["replicas"] == 2
    # Three columns of two batches each.
    assert (first["wrote"], second["wrote"], one["wrote"]) == (6, 0, 6)
    for worker in (first, second):
        assert "on a file system that all of them see" in str(worker["refused"])
    assert not one["refused"]
    together, alone = (
        ij.evaluation.read(tmp_path / name) for name in ("together", "alone")
    )
    assert list(together) == list(alone) == ["standard", "aa", "jsa"]
    for column, record in alone.items():
        assert together[column].model == record.model
        assert together[column].attack == record.attack
        np.testing.assert_array_equal(together[column].correct, record.correct)
    assert first.files == second.files == one.files
    for name in {*first.files} - {"wrote", "refused"}:
        np.testing.assert_array_equal(first[name], second[name], name)
        np.testing.assert_allclose(
            first[name], one[name], rtol=1e-6, atol=1e-6, err_msg=name
        )
