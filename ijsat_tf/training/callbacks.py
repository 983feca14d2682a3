"""Callbacks for runs that take long: checkpoints, and the speed."""

from __future__ import annotations

import os
import pathlib
import time
from typing import Any

import keras


class Checkpoint(keras.callbacks.Callback):
    """Saves weights and optimizer after every epoch.

    The file is written aside and renamed, so that an interruption leaves the
    one before. Random numbers follow from `optimizer.iterations`, which is
    inside: a resumed run equals an uninterrupted one.

    Args:
        path: of the file, e.g. "run/checkpoint.weights.h5".
    """

    def __init__(self, path: str | os.PathLike):
        super().__init__()
        self.path = pathlib.Path(path)

    def restore(self, model: keras.Model) -> int:
        """Loads what was saved into a compiled, built model.

        Returns:
            The number of finished optimizer steps, 0 without a file.

        Raises:
            ValueError: for a file that is truncated, or of another model.
        """
        if not self.path.exists():
            return 0
        try:
            model.optimizer.build(model.trainable_variables)
            model.load_weights(self.path)
        except (OSError, ValueError, KeyError) as error:
            reason = str(error).split("\n")[0]
            raise ValueError(
                f"{self.path} cannot be read as a checkpoint of this run: "
                f"{reason} Move it away to start anew."
            ) from error
        return int(model.optimizer.iterations.numpy())

    def on_epoch_end(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        aside = self.path.with_name("aside." + self.path.name)
        self.model.save_weights(aside)
        os.replace(aside, self.path)


class Throughput(keras.callbacks.Callback):
    """Adds images/s to an epoch's logs and says how much time is left.

    Put it before callbacks that write the logs. Each epoch's first batch is
    left out, since the very first traces the graph.

    Args:
        batch_size: images a step.
    """

    def __init__(self, batch_size: int):
        super().__init__()
        self.batch_size = batch_size

    def on_epoch_begin(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        self.start, self.batches = None, 0

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        if self.start is None:
            self.start = time.perf_counter()
        else:
            self.batches += 1

    def on_epoch_end(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        seconds = time.perf_counter() - (self.start or 0)
        if not self.batches:
            return
        speed = self.batches * self.batch_size / max(seconds, 1e-9)
        if logs is not None:
            logs["images_per_second"] = speed
        left = self.params["epochs"] - epoch - 1
        steps = self.params["steps"] or self.batches + 1
        minutes = left * steps * self.batch_size / max(speed, 1e-9) / 60
        print(f"{speed:.1f} images/s, about {minutes:.0f} min left")
