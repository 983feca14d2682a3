"""The dtype policy that is fast on this machine."""

from __future__ import annotations

import pathlib

import tensorflow as tf

# Names that Linux gives the bfloat16 instructions of x86 and Arm.
_INSTRUCTIONS = {"avx512_bf16", "amx_bf16", "bf16"}


def precision(name: str = "auto") -> str:
    """The dtype policy that a name stands for on this machine.

    Args:
        name: Name of a Keras dtype policy, or "auto", the default. "auto"
            stands for "mixed_bfloat16" where the devices multiply bfloat16
            (GPUs of compute capability 8, CPUs with AVX512-BF16 or AMX), else
            for "float32".

    Returns:
        Name of a Keras dtype policy.
    """
    if name != "auto":
        return name
    gpus = tf.config.list_physical_devices("GPU")
    fast = all(map(_gpu_is_fast, gpus)) if gpus else _cpu_is_fast()
    return "mixed_bfloat16" if fast else "float32"


def _gpu_is_fast(gpu: tf.config.PhysicalDevice) -> bool:
    details = tf.config.experimental.get_device_details(gpu)
    return details.get("compute_capability", (0, 0)) >= (8, 0)


def _cpu_is_fast(path: str = "/proc/cpuinfo") -> bool:
    try:
        text = pathlib.Path(path).read_text("utf-8", "replace")
    except OSError:
        # Systems other than Linux do not list the CPU's instructions there.
        return False
    return any(
        _INSTRUCTIONS & {*line.split()}
        for line in text.splitlines()
        if line.lower().startswith(("flags", "features"))
    )
