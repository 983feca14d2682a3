"""Callbacks that show the progress of a run, and save and resume a run."""

from ijsat_tf.training.callbacks.adversarial_images import AdversarialImages
from ijsat_tf.training.callbacks.attack_callback import AttackCallback
from ijsat_tf.training.callbacks.backup import Backup
from ijsat_tf.training.callbacks.checkpoint import Checkpoint
from ijsat_tf.training.callbacks.epoch_log import EpochLog
from ijsat_tf.training.callbacks.finite_logs import FiniteLogs
from ijsat_tf.training.callbacks.interruption import Interrupted, Interruption
from ijsat_tf.training.callbacks.learning_curve import (
    Point,
    read_curve,
    write_curve,
)
from ijsat_tf.training.callbacks.robust_accuracy import RobustAccuracy
from ijsat_tf.training.callbacks.step_losses import StepLosses
from ijsat_tf.training.callbacks.throughput import Throughput

__all__ = [
    "AdversarialImages",
    "AttackCallback",
    "Backup",
    "Checkpoint",
    "EpochLog",
    "FiniteLogs",
    "Interrupted",
    "Interruption",
    "Point",
    "RobustAccuracy",
    "StepLosses",
    "Throughput",
    "read_curve",
    "write_curve",
]
