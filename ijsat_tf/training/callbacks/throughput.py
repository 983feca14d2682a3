"""The speed of a run, and the time left."""

from __future__ import annotations

import time
from typing import Any

import keras

from ijsat_tf.training.callbacks.console import say

_MINUTE = 60.0


class Throughput(keras.callbacks.Callback):
    """Adds images/s to the logs of an epoch and prints the time left.

    Put `Throughput` before callbacks that write the logs. The speed leaves out
    the first batch of each epoch, since the very first batch traces the graph.
    An epoch with a single batch, as when an epoch is resumed near its end,
    counts that batch. The time left includes the measured time between epochs,
    in which validation and other callbacks run. Where Keras shows no moving bar
    (`verbose=2`), a line per minute tells how far a long epoch is.

    Args:
        batch_size: Number of images per step.
        first_step: Number of steps of the first epoch that were made before
            the run was resumed, default 0; `Backup.restore` returns the number.
    """

    def __init__(self, batch_size: int, first_step: int = 0):
        super().__init__()
        self.batch_size = batch_size
        self.first_step = first_step

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.stop, self.pauses, self.before = None, [], self.first_step

    def on_epoch_begin(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        if self.stop is not None:
            self.pauses.append(time.perf_counter() - self.stop)
        self.begin = self.told = time.perf_counter()
        self.epoch, self.start, self.first, self.batches = epoch, None, 0, 0

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        self.stop = time.perf_counter()
        # With `steps_per_execution` callbacks do not see every step.
        if self.start is None:
            self.start, self.first = self.stop, batch
        self.batches = batch - self.first
        lines = self.params.get("verbose") == 2
        if lines and self.batches and self.stop - self.told >= _MINUTE:
            self.told, done = self.stop, self.before + batch + 1
            of = f" of {self.params['steps']}" if self.params["steps"] else ""
            say(
                self,
                f"epoch {self.epoch + 1}, step {done}{of}: "
                f"{self._progress(done)}",
            )

    def on_epoch_end(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        if self.start is None:
            return
        if not self.batches:
            self.start, self.batches, self.first = (
                self.begin,
                self.first + 1,
                -1,
            )
        if logs is not None:
            logs["images_per_second"] = self._speed()
        steps = self.before + self.batches + self.first + 1
        self.before = 0
        say(self, self._progress(self.params["steps"] or steps))

    def _speed(self) -> float:
        """Images/s of this epoch."""
        seconds = max(self.stop - self.start, 1e-9)
        return self.batches * self.batch_size / seconds

    def _progress(self, done: int) -> str:
        """The speed and the time left after `done` steps of this epoch."""
        speed, steps = self._speed(), self.params["steps"] or done
        left = self.params["epochs"] - self.epoch - 1
        images = (left * steps + steps - done) * self.batch_size
        seconds = images / speed
        if self.pauses:
            # One more pause follows the present epoch.
            seconds += (left + 1) * sum(self.pauses) / len(self.pauses)
        return f"{speed:.1f} images/s, about {seconds / 60:.0f} min left"
