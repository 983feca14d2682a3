"""Distribution strategies by name."""

from __future__ import annotations

import tensorflow as tf

from ijsat_tf import checks


def strategy(name: str = "auto") -> tf.distribute.Strategy:
    """The strategy to build and train models under.

    Call it before any other TensorFlow operation, and build models inside
    `strategy.scope()`.

    Args:
        name: "mirrored" spreads each batch over all GPUs (without any, over
            the logical CPUs), "none" uses one device, "auto", the default,
            is "mirrored" where there are two or more GPUs.

    Raises:
        ValueError: for another name.
    """
    checks.require(
        name in ("auto", "none", "mirrored"),
        "`strategy` must be 'auto', 'none' or 'mirrored'.",
        repr(name),
    )
    devices = [
        device.name.removeprefix("/device:")
        for kind in ("GPU", "CPU")
        for device in tf.config.list_logical_devices(kind)
    ]
    gpus = [device for device in devices if device.startswith("GPU")]
    if name == "mirrored" or (name == "auto" and len(gpus) > 1):
        return tf.distribute.MirroredStrategy(gpus or devices)
    return tf.distribute.get_strategy()
