"""Checkpoints from which a run resumes, with the same numbers."""

from __future__ import annotations

import os
import pathlib
import signal
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from ijsat_tf import checks
from ijsat_tf.runtime import workers
from ijsat_tf.runtime.not_finite import NotFinite, first_variable
from ijsat_tf.training.callbacks import averages, snapshots, weights_file
from ijsat_tf.training.callbacks.interruption import Interrupted, Interruption


class Position(NamedTuple):
    """The position of a run: its finished epochs and steps.

    Attributes:
        epoch: Number of finished epochs.
        step: Number of finished steps of the next epoch.
    """

    epoch: int
    step: int

    def __str__(self) -> str:
        within = f" and {self.step} steps" if self.step else ""
        return f"epoch {self.epoch}{within}"


class Backup(keras.callbacks.Callback):
    """Saves weights, optimizer and metrics, so that `fit` can be resumed.

    `Backup` saves a checkpoint after each epoch, when all callbacks are done
    with the epoch, and every few minutes within an epoch. `Backup` removes the
    oldest checkpoints. Put `Backup` first among the callbacks. To resume:

        epoch, step = backup.restore(model)
        model.fit(
            ij.data.batches(..., first_epoch=epoch, first_step=step),
            initial_epoch=epoch, epochs=epochs, steps_per_epoch=steps,
            callbacks=[backup, ...],
        )

    With `use_ema=True` a checkpoint holds the weights that training continues
    from. The checkpoint does not hold the averages that Keras assigns to the
    weights when `fit` ends.

    Random numbers follow from `optimizer.iterations`, which is saved. The
    weights, the optimizer and the logs at the ends of epochs are therefore
    those of a run that was never interrupted. In an epoch that is resumed,
    callbacks count batches from 0.

    Each of several workers needs this callback, with a folder that all workers
    see; the first worker writes the folder. All workers save at the same step,
    and stop together, whichever worker gets the signal.

    `keras.callbacks.BackupAndRestore` resumes at the first batch of the epoch,
    forgets what the metrics had counted, does not recognise a damaged file,
    and overwrites its last checkpoint.

    Args:
        folder: Folder of the checkpoints, e.g. "run/checkpoints".
        minutes: Minutes from one checkpoint to the next within an epoch,
            default 15; 0 saves after each step. Where `fit` does not know the
            number of steps of an epoch, no checkpoint is saved within an epoch.
        keep: Number of the last checkpoints that are kept, default 3.
        settings: Settings of the run, as a string; a checkpoint with other
            settings is not used. Default "".
        interruption: Interruption whose signal is obeyed at the end of a step
            or, when an epoch ends, after all callbacks; None, the default,
            obeys no signal.

    Raises:
        ValueError: for settings out of range; when saving, for variables that
            are not finite.
        OSError: when saving, for a disk that is full or cannot be written.
        Interrupted: in training, after a signal, when everything is saved.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        minutes: float = 15.0,
        keep: int = 3,
        settings: str = "",
        interruption: Interruption | None = None,
    ):
        super().__init__()
        self.folder = pathlib.Path(folder)
        checks.not_negative("minutes", minutes)
        self.minutes = minutes
        self.keep = checks.at_least_one("keep", keep)
        self.settings = settings
        self.interruption = interruption or Interruption()
        self.position = Position(0, 0)
        self._counted: list = []
        self._resumed = 0
        self._ending = self._unsaved = False
        self._trained: list = []

    def restore(self, model: keras.Model) -> Position:
        """Loads the last readable checkpoint into a compiled model.

        Args:
            model: Compiled model.

        Returns:
            Position from which to go on; (0, 0) where nothing was saved.

        Raises:
            ValueError: where there are checkpoints but none can be used, or
                where other workers find other checkpoints.
        """
        checks.require(
            getattr(model, "optimizer", None) is not None,
            "`model` must be compiled, because its optimizer is restored too; "
            "call `model.compile` first.",
        )
        strategy = model.distribute_strategy
        found = snapshots.newest_first(self.folder)
        for path, facts in self._whole(found):
            position = Position(facts["epoch"], facts["step"])
            # Several workers load together, as each assignment is a broadcast.
            self._agree(strategy, position, facts["digest"])
            if not model.built and facts.get("input_shape"):
                model.build(tuple(facts["input_shape"]))
            try:
                weights_file.load(model, path)
            except ValueError as error:
                _pass_over(path, error)
                continue
            self.position = position
            self._counted = facts["metrics"]
            return self.position
        self._agree(strategy, self.position)
        checks.require(
            not found,
            f"None of the checkpoints in {self.folder} can be used, and no "
            "file was changed. Restore a checkpoint of this run, or move the "
            "folder away to start again.",
        )
        return self.position

    def _whole(
        self, found: list[pathlib.Path]
    ) -> Iterator[tuple[pathlib.Path, dict[str, Any]]]:
        for path in found:
            try:
                facts = snapshots.read(path)
                checks.require(
                    facts["settings"] == self.settings,
                    "it is of a run with other settings.",
                )
            except ValueError as error:
                _pass_over(path, error)
                continue
            yield path, facts

    def _agree(
        self,
        strategy: tf.distribute.Strategy,
        position: Position,
        digest: str = "none",
    ) -> None:
        workers.require_equal(
            strategy,
            self.settings,
            "`settings` must be the same for all workers.",
        )
        workers.require_equal(
            strategy,
            f"after {position}, {digest}",
            f"`folder` {self.folder} must be on a file system that all workers "
            "see, so that all workers find the same checkpoints.",
        )

    def save(self) -> None:
        """Writes a checkpoint of the model in training."""
        with averages.holding(self._trained):
            self._save()

    def _save(self) -> None:
        model = self.model
        if first_variable(model):
            raise NotFinite(
                model,
                "The model is not finite, and was not saved; lower the "
                "learning rate, or warm it up for longer.",
            )
        # Each worker has counted its own samples, and reading a metric sums
        # over the workers, so all workers must read the metrics.
        metrics = [v.numpy().tolist() for v in model.metrics_variables]
        strategy = model.distribute_strategy
        if workers.is_chief(strategy):
            self._write(metrics)
        # No worker may end before the checkpoint is written.
        workers.of_all(strategy, self.position)
        self._unsaved, self._last = False, time.monotonic()

    def _write(self, metrics: list) -> None:
        model = self.model
        steps = int(model.optimizer.iterations.numpy())
        path = snapshots.path_of(self.folder, steps)
        facts = {
            **self.position._asdict(),
            "metrics": metrics if self.position.step else [],
            "settings": self.settings,
            "input_shape": getattr(
                getattr(model, "classifier", model), "input_shape", None
            ),
        }
        content = weights_file.content(model)
        try:
            snapshots.write(path, lambda at: at.write_bytes(content), facts)
        except OSError as error:
            raise OSError(
                f"{path}, {len(content) / 1e6:.1f} MB, cannot be written: "
                f"{error.strerror or error}. Earlier checkpoints are whole; "
                "training resumes from the last one once the disk can be "
                "written."
            ) from error
        snapshots.prune(self.folder, path, self.keep)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._last = time.monotonic()

    def on_epoch_begin(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        # When an epoch begins, all callbacks are done with the previous epoch.
        self._end_epoch()
        if self.position.epoch != epoch:
            self.position = Position(epoch, 0)
        self._resumed = self.position.step
        if len(self._counted) == len(self.model.metrics_variables):
            self._count_on()

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        # With `steps_per_execution` callbacks do not see every step.
        self.position = self.position._replace(step=self._resumed + batch + 1)
        self._unsaved = True
        if self._counted:
            # Keras creates the variables of its own metrics in this step.
            # Metrics are sums over steps, so the order does not matter.
            self._count_on(logs)
        steps = self.params["steps"]
        if steps is None:
            return
        if self.position.step >= steps:
            if self._resumed and not self.model.stop_training:
                # Keras does not know that a resumed epoch has fewer batches.
                self._ending = self.model.stop_training = True
            return
        due, number = self._agreed()
        if due or number:
            self.save()
            self._obey(number)

    def on_epoch_end(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        if self._ending:
            self._ending = self.model.stop_training = False
        self.position = Position(epoch + 1, 0)
        self._trained = averages.not_averaged(self.model)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self._end_epoch()

    def _end_epoch(self) -> None:
        if self._unsaved:
            self.save()
        self._trained = []
        self._obey(self._agreed()[1])

    def _agreed(self) -> list[int]:
        """Whether a worker is due to save (0 or 1), and its signal or 0."""
        due = time.monotonic() - self._last >= 60 * self.minutes
        mine = due, self.interruption.signal or 0
        strategy = self.model.distribute_strategy
        return workers.of_all(strategy, mine).max(axis=0).tolist()

    def _obey(self, number: int) -> None:
        if number:
            raise Interrupted(
                number,
                f"{signal.Signals(number).name}: saved in {self.folder} after "
                f"{self.position}",
            )

    def _count_on(self, logs: dict[str, Any] | None = None) -> None:
        """Adds the counts of the metrics from before the epoch was resumed."""
        variables = self.model.metrics_variables
        for variable, before in zip(variables, self._counted, strict=True):
            variable.assign(variable.numpy() + before)
        self._counted = []
        if logs:
            found = self.model.get_metrics_result()
            logs.update((n, float(found[n])) for n in logs if n in found)


def _pass_over(path: pathlib.Path, error: ValueError) -> None:
    print(f"{path} cannot be used: {error}", flush=True)
