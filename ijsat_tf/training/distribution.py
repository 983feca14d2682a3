"""Distribution strategies by name."""

from __future__ import annotations

import json
import os

import tensorflow as tf

from ijsat_tf import checks


def strategy(name: str = "auto") -> tf.distribute.Strategy:
    """The distribution strategy to build and train models under.

    Call this function before any other TensorFlow operation, and build models
    inside `strategy.scope()`.

    Args:
        name: Name of the strategy. "mirrored" spreads each batch over all
            GPUs, or over the logical CPUs where there are no GPUs.
            "multi_worker" spreads each batch over the devices of all machines
            that the environment's `TF_CONFIG` names. "none" uses one device.
            "auto", the default, is "multi_worker" where `TF_CONFIG` names two
            or more workers, else "mirrored" where there are two or more GPUs,
            else "none".

    Raises:
        ValueError: for another name, or "multi_worker" without `TF_CONFIG`.
    """
    checks.require(
        name in ("auto", "none", "mirrored", "multi_worker"),
        "`strategy` must be 'auto', 'none', 'mirrored' or 'multi_worker'.",
        repr(name),
    )
    workers = _workers()
    checks.require(
        workers or name != "multi_worker",
        "`strategy` 'multi_worker' needs the environment's TF_CONFIG, JSON "
        "such as {'cluster': {'worker': ['host1:12345', 'host2:12345']}, "
        "'task': {'type': 'worker', 'index': 0}}.",
        repr(os.environ.get("TF_CONFIG")),
    )
    if name == "multi_worker" or (name == "auto" and workers > 1):
        return tf.distribute.MultiWorkerMirroredStrategy()
    devices = [
        device.name.removeprefix("/device:")
        for kind in ("GPU", "CPU")
        for device in tf.config.list_logical_devices(kind)
    ]
    gpus = [device for device in devices if device.startswith("GPU")]
    if name == "mirrored" or (name == "auto" and len(gpus) > 1):
        return tf.distribute.MirroredStrategy(gpus or devices)
    return tf.distribute.get_strategy()


def _workers() -> int:
    """The number of workers that the environment's TF_CONFIG names."""
    try:
        cluster = json.loads(os.environ.get("TF_CONFIG") or "{}")["cluster"]
        return len(cluster["worker"]) + len(cluster.get("chief", ()))
    except (ValueError, KeyError, TypeError):
        return 0
