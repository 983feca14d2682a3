"""A copy of an optimizer that takes several steps for each original step."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("ijsat_tf")
class Slowed(keras.optimizers.schedules.LearningRateSchedule):
    """Another optimizer's schedule, for an optimizer that takes more steps.

    Args:
        schedule: Learning rate schedule of the other optimizer.
        factor: Number of steps that this optimizer takes for each step of the
            other optimizer.
    """

    def __init__(self, schedule: Any, factor: int):
        self.schedule, self.factor = schedule, factor

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        return self.schedule(tf.cast(step, tf.int64) // self.factor)

    def get_config(self) -> dict[str, Any]:
        schedule = keras.saving.serialize_keras_object(self.schedule)
        return {"schedule": schedule, "factor": self.factor}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Slowed:
        schedule = keras.saving.deserialize_keras_object(config["schedule"])
        return cls(schedule, config["factor"])


def slowed(
    optimizer: keras.optimizers.Optimizer, factor: int
) -> keras.optimizers.Optimizer:
    """Copies an optimizer, with a schedule for `factor` times as many steps.

    At any time of the training both optimizers have the same learning rate.

    Args:
        optimizer: Optimizer with a number or a schedule as learning rate, or
            with another optimizer inside.
        factor: Number of steps that the new optimizer takes for each step of
            `optimizer`.
    """
    return type(optimizer).from_config(_slowed(optimizer.get_config(), factor))


def _slowed(config: dict[str, Any], factor: int) -> dict[str, Any]:
    slow = dict(config)
    for name, setting in config.items():
        if name == "learning_rate" and isinstance(setting, dict):
            schedule = keras.saving.deserialize_keras_object(setting)
            slow[name] = keras.saving.serialize_keras_object(
                Slowed(schedule, factor)
            )
        elif isinstance(setting, dict):
            slow[name] = _slowed(setting, factor)
    return slow
