"""Interpolated Joint Space Adversarial Training for TensorFlow and Keras.

`import ijsat_tf as ij` gives, stage by stage, `ij.data`, `ij.models`,
`ij.flows`, `ij.generators`, `ij.spaces`, `ij.attacks`, `ij.training` and
`ij.evaluation`.
"""

import keras

if keras.backend.backend() != "tensorflow":
    raise ImportError(
        "ijsat_tf needs Keras on TensorFlow, and Keras' backend is "
        f"{keras.backend.backend()}: set KERAS_BACKEND=tensorflow before "
        "Keras is imported."
    )

from ijsat_tf import (  # noqa: E402
    attacks,
    data,
    evaluation,
    flows,
    generators,
    models,
    spaces,
    training,
)
from ijsat_tf.runtime.threads import one_core_per_operation  # noqa: E402

__version__ = "0.1.0"
__all__ = [
    "attacks",
    "data",
    "evaluation",
    "flows",
    "generators",
    "models",
    "one_core_per_operation",
    "spaces",
    "training",
]
