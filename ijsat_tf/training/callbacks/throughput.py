"""The speed of a run, and the time left."""

from __future__ import annotations

import time
from typing import Any

import keras

from ijsat_tf.training.callbacks.console import say


class Throughput(keras.callbacks.Callback):
    """Adds images/s to an epoch's logs and says how much time is left.

    Put it before callbacks that write the logs. Each epoch's first batch is
    left out of the speed, since the very first traces the graph, unless it is
    the only one, as where an epoch is resumed near its end. The time left
    includes what was measured between epochs: validation, and other
    callbacks.

    Args:
        batch_size: images a step.
    """

    def __init__(self, batch_size: int):
        super().__init__()
        self.batch_size = batch_size

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.stop, self.pauses = None, []

    def on_epoch_begin(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        if self.stop is not None:
            self.pauses.append(time.perf_counter() - self.stop)
        self.begin = time.perf_counter()
        self.start, self.first, self.batches = None, 0, 0

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        self.stop = time.perf_counter()
        # With `steps_per_execution` not every step is seen.
        if self.start is None:
            self.start, self.first = self.stop, batch
        self.batches = batch - self.first

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
        speed = self.batches * self.batch_size
        speed /= max(self.stop - self.start, 1e-9)
        if logs is not None:
            logs["images_per_second"] = speed
        left = self.params["epochs"] - epoch - 1
        steps = self.params["steps"] or self.batches + self.first + 1
        seconds = left * steps * self.batch_size / speed
        if self.pauses:
            # One more pause follows this very epoch.
            seconds += (left + 1) * sum(self.pauses) / len(self.pauses)
        say(self, f"{speed:.1f} images/s, about {seconds / 60:.0f} min left")
