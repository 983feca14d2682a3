"""How many cores of a CPU one operation of TensorFlow uses."""

from __future__ import annotations

import os

import tensorflow as tf


def one_core_per_operation() -> None:
    """Lets each core of a CPU attack a part of the batch, which is faster.

    By default TensorFlow shares each operation among all cores, and an attack
    is ten thousand small operations after each other. Call this function
    before the first operation of TensorFlow. The function does nothing on a
    machine with a GPU, and a number of threads in the environment's
    `TF_NUM_INTRAOP_THREADS` takes precedence.

    Raises:
        RuntimeError: if TensorFlow has already run an operation with another
            number of threads.
    """
    if not tf.config.list_physical_devices("GPU"):
        _threads(1)


def all_cores_per_operation() -> None:
    """Lets operations use all cores again, for networks without an attack."""
    _threads(0)


def _threads(count: int) -> None:
    wanted = int(os.environ.get("TF_NUM_INTRAOP_THREADS") or count)
    threading = tf.config.threading
    # TensorFlow refuses even the present number once it has run an operation.
    if threading.get_intra_op_parallelism_threads() != wanted:
        threading.set_intra_op_parallelism_threads(wanted)
