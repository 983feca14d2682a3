"""An optimizer's twin, which takes more steps in the same time."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("ijsat_tf")
class Slowed(keras.optimizers.schedules.LearningRateSchedule):
    """Another optimizer's schedule, for one that takes more steps.

    Args:
        schedule: the other's.
        factor: steps for one of the other's.
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
    """One like `optimizer`, whose learning rate at any time is the same.

    Args:
        optimizer: with a number or a schedule as learning rate, or with
            another optimizer inside.
        factor: steps of the new one for one of `optimizer`.
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
