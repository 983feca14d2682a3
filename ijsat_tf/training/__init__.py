"""Training of classifiers: methods, models, optimizers and callbacks."""

from ijsat_tf.flows import WarmUp
from ijsat_tf.training import methods
from ijsat_tf.training.callbacks import (
    AdversarialImages,
    Backup,
    Checkpoint,
    EpochLog,
    FiniteLogs,
    Interrupted,
    Interruption,
    RobustAccuracy,
    StepLosses,
    Throughput,
)
from ijsat_tf.training.distribution import strategy
from ijsat_tf.training.ijsat import IJSAT
from ijsat_tf.training.model import AdversarialModel
from ijsat_tf.training.optimizers import SGD
from ijsat_tf.training.precision import precision
from ijsat_tf.training.schedules import (
    PiecewiseLinear,
    share_drops,
    step_drops,
)

__all__ = [
    "AdversarialImages",
    "AdversarialModel",
    "Backup",
    "Checkpoint",
    "EpochLog",
    "FiniteLogs",
    "IJSAT",
    "Interrupted",
    "Interruption",
    "PiecewiseLinear",
    "RobustAccuracy",
    "SGD",
    "StepLosses",
    "Throughput",
    "WarmUp",
    "methods",
    "precision",
    "share_drops",
    "step_drops",
    "strategy",
]
