"""Sets the environment of TensorFlow, which reads it at the import.

A command imports this module before TensorFlow. Variables that are set already
stay as they are.

`TF_ENABLE_ONEDNN_OPTS` is 1: convolutions use oneDNN on every x86 CPU. By
default TensorFlow does so only on CPUs with instructions such as AVX512_VNNI,
and its own convolutions are slower on the other CPUs.

`TF_CPP_MIN_LOG_LEVEL` turns TensorFlow's log off. On a machine with a GPU the
level is 2, so errors are shown. On other machines the level is 3, because a
missing GPU is an error at level 2. There the import drops two information
lines too, which TensorFlow prints before reading the level.
"""

from __future__ import annotations

import glob
import os
import platform
import sys
import tempfile

_GPUS = ("/dev/nvidia*", "/dev/dxg", "/dev/kfd")  # NVIDIA, WSL, AMD
_NOISE = (b"WARNING: All log messages before absl::InitializeLog()", b"I0000 ")


def prepare() -> None:
    """Sets the variables, and imports TensorFlow where the import is noisy."""
    if platform.machine() in ("x86_64", "AMD64"):
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    asked = "TF_CPP_MIN_LOG_LEVEL" in os.environ
    gpu = any(map(glob.glob, _GPUS))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2" if gpu else "3")
    if asked or gpu or "tensorflow" in sys.modules:
        return
    try:
        stderr, log = os.dup(2), tempfile.TemporaryFile()
    except OSError:
        return  # Lines too many are better than a command that cannot start.
    with log:
        os.dup2(log.fileno(), 2)
        try:
            import tensorflow  # noqa: F401
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)
            log.seek(0)
            for line in log:
                if not line.startswith(_NOISE):
                    os.write(2, line)


prepare()
