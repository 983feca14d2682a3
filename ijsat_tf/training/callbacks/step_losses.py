"""The loss within an epoch, for epochs that take hours."""

from __future__ import annotations

import os
from typing import Any

import keras
import tensorflow as tf

from ijsat_tf import checks


class StepLosses(keras.callbacks.Callback):
    """Writes the mean loss of every few steps for TensorBoard.

    The step of the scalar is the optimizer's step, which goes on when a run is
    resumed. Keras' own `TensorBoard(update_freq=...)` counts from 0 again, and
    writes the mean since the epoch began.

    Args:
        directory: Folder of the event files.
        every: Number of steps per mean, default 100; the steps left at the
            end of an epoch have a mean of their own.
        monitor: Key of the logs, default "loss"; a flow has "bits_per_dim".
        first_step: Number of steps of the first epoch that were taken before
            the epoch was resumed, default 0.

    Raises:
        ValueError: for `every` below 1.
    """

    def __init__(
        self,
        directory: str | os.PathLike,
        every: int = 100,
        monitor: str = "loss",
        first_step: int = 0,
    ):
        super().__init__()
        self.monitor = monitor
        self.every = checks.at_least_one("every", every)
        self.first_step = first_step
        self.writer = tf.summary.create_file_writer(os.fspath(directory))

    def on_epoch_begin(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        self.steps, self.total, self.written = 0, 0.0, 0
        self.before, self.first_step = self.first_step, 0

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        # With `steps_per_execution` callbacks do not see every step.
        self.steps = self.before + batch + 1
        if self.written < self.before:
            # The epoch's mean includes the steps before it was resumed.
            self._mean(logs)
        elif self.steps // self.every > self.written // self.every:
            self._write(logs)

    def on_epoch_end(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        if self.steps > self.written:
            self._write(logs)

    def _write(self, logs: dict[str, Any] | None) -> None:
        step = int(self.model.optimizer.iterations.numpy())
        with self.writer.as_default(step):
            tf.summary.scalar(self.monitor, self._mean(logs))
        self.writer.flush()

    def _mean(self, logs: dict[str, Any] | None) -> float:
        """The mean of the monitored number since the previous mean."""
        checks.require(
            self.monitor in logs,
            f"`monitor` must be a key of the logs, one of {', '.join(logs)}.",
            repr(self.monitor),
        )
        # Keras' logs hold the mean since the epoch began.
        total = float(logs[self.monitor]) * self.steps
        mean = (total - self.total) / (self.steps - self.written)
        self.total, self.written = total, self.steps
        return mean
