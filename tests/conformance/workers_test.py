"""Two workers = one machine with two replicas."""

import json
import os
import pathlib
import socket
import subprocess
import sys

import numpy as np

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


def test_two_workers_train_as_two_replicas_do(tmp_path):
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
    assert first.files == second.files == one.files
    for name in first.files:
        np.testing.assert_array_equal(first[name], second[name], name)
        np.testing.assert_allclose(
            first[name], one[name], rtol=1e-6, atol=1e-6, err_msg=name
        )
