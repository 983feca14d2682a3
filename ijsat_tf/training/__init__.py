"""Training classifiers by methods: mix, craft, minimise."""

from ijsat_tf.training import methods
from ijsat_tf.training.callbacks import (
    AdversarialImages,
    Checkpoint,
    RobustAccuracy,
    StepLosses,
    Throughput,
)
from ijsat_tf.training.distribution import strategy
from ijsat_tf.training.ijsat import IJSAT
from ijsat_tf.training.model import AdversarialModel
from ijsat_tf.training.optimizers import SGD
from ijsat_tf.training.precision import precision
from ijsat_tf.training.schedules import step_drops

__all__ = [
    "AdversarialImages",
    "AdversarialModel",
    "Checkpoint",
    "IJSAT",
    "RobustAccuracy",
    "SGD",
    "StepLosses",
    "Throughput",
    "methods",
    "precision",
    "step_drops",
    "strategy",
]
