"""Ends a training whose loss is not finite."""

from __future__ import annotations

import math
from typing import Any

import keras

from ijsat_tf.runtime.not_finite import NotFinite


class FiniteLogs(keras.callbacks.Callback):
    """Ends training by an error once a logged number is not finite.

    The models of this library check their losses inside the step, but XLA
    drops these checks. This callback checks the logs of any model after each
    step. `keras.callbacks.TerminateOnNaN` ends the epoch without an error, so
    that other callbacks save the diverged model.

    Raises:
        NotFinite: in training, a `ValueError` that names the number, the step,
            and the first variable that is not finite.
    """

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        for name, number in (logs or {}).items():
            if isinstance(number, float) and not math.isfinite(number):
                raise NotFinite(
                    self.model,
                    f"{name!r} is not finite; lower the learning rate, or "
                    "warm it up for longer.",
                )
