"""Checkpoints: to resume from, and the best classifier to use."""

from __future__ import annotations

import math
import os
import pathlib
import warnings
from typing import Any

import keras

from ijsat_tf import checks
from ijsat_tf.files import replaced
from ijsat_tf.training.model import AdversarialModel


class Checkpoint(keras.callbacks.Callback):
    """Saves after every epoch, or after the best.

    A path that ends in ".weights.h5" gets weights and optimizer, to resume.
    Random numbers follow from `optimizer.iterations`, which is inside: a
    resumed run equals an uninterrupted one. A path that ends in ".keras" gets
    the classifier alone, to use; a functional one loads without this library.

    The file is written aside and renamed, so that an interruption leaves the
    one before.

    Args:
        path: of the file, e.g. "run/checkpoint.weights.h5".
        monitor: a key of the logs, e.g. "robust_accuracy": an epoch is saved
            only when its logs have the key, and higher than ever; put the
            callback that adds it first. None, the default, saves each epoch.
        best: what is to be exceeded first, for a resumed run; default -inf.

    Raises:
        ValueError: for another ending of `path`.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        monitor: str | None = None,
        best: float = -math.inf,
    ):
        super().__init__()
        self.path = pathlib.Path(path)
        checks.require(
            self.path.name.endswith((".weights.h5", ".keras")),
            "`path` must end in '.weights.h5' for a checkpoint to resume, or "
            "in '.keras' for the classifier alone.",
            path,
        )
        self.monitor = monitor
        self.best = best
        self._seen = False

    def restore(self, model: keras.Model) -> int:
        """Loads what was saved into a compiled, built model.

        Returns:
            The number of finished optimizer steps, 0 without a file.

        Raises:
            ValueError: for a file that is truncated, of another model or
                optimizer, or holds a classifier alone.
        """
        checks.require(
            self.path.suffix != ".keras",
            "A '.keras' file holds no optimizer to resume with; use a "
            "Checkpoint with a path that ends in '.weights.h5'.",
            self.path,
        )
        checks.require(
            getattr(model, "optimizer", None) is not None,
            "`model` must be compiled: its optimizer is restored too.",
        )
        if not self.path.exists():
            return 0
        model.optimizer.build(model.trainable_variables)
        try:
            with warnings.catch_warnings():
                # Keras passes over an optimizer of another kind.
                warnings.filterwarnings("error", "Skipping variable loading")
                model.load_weights(self.path)
        except (OSError, ValueError, KeyError, UserWarning) as error:
            reason = str(error).split("\n")[0]
            raise ValueError(
                f"{self.path} cannot be read as a checkpoint of this run: "
                f"{reason} Move it away to start anew."
            ) from error
        return int(model.optimizer.iterations.numpy())

    def save(self, model: keras.Model) -> None:
        """Writes the file.

        Args:
            model: a built one.
        """
        with replaced(self.path) as aside:
            if self.path.suffix == ".keras":
                _plain_classifier(model).save(aside)
            else:
                model.save_weights(aside)

    def on_epoch_end(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        if self.monitor is None:
            self.save(self.model)
        elif self.monitor in (logs or {}):
            self._seen = True
            if logs[self.monitor] > self.best:
                self.save(self.model)
                self.best = logs[self.monitor]

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if self.monitor is not None and not self._seen:
            warnings.warn(
                f"{self.path} was not saved: {self.monitor!r} was never in "
                "the logs. Put the callback that adds it before this one.",
                stacklevel=2,
            )


def _plain_classifier(model: keras.Model) -> keras.Model:
    net = model.classifier if isinstance(model, AdversarialModel) else model
    inputs = getattr(net, "inputs", None)
    if not inputs or len(inputs) > 1 or len(net.outputs) > 1:
        return net
    # A class of its own, or a compiled optimizer, would be needed to load it.
    return keras.Model(inputs[0], net.outputs[0], name=net.name)
