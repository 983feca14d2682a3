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
        optimizer: with a number or a schedule as learning rate.
        factor: steps of the new one for one of `optimizer`.
    """
    copy = optimizer.get_config()
    if isinstance(copy["learning_rate"], dict):
        schedule = keras.optimizers.schedules.deserialize(copy["learning_rate"])
        copy["learning_rate"] = Slowed(schedule, factor)
    return type(optimizer).from_config(copy)
