"""A file of the classifier, of the best epoch or of the last epoch."""

from __future__ import annotations

import math
import os
import pathlib
from typing import Any

import keras

from ijsat_tf import checks
from ijsat_tf.runtime import workers
from ijsat_tf.runtime.not_finite import NotFinite, first_variable
from ijsat_tf.storage.files import replaced
from ijsat_tf.training.model import AdversarialModel


class Checkpoint(keras.callbacks.Callback):
    """Saves the classifier alone, after every epoch or after the best epoch.

    A functional classifier loads without this library. The file is written
    under another name and then renamed, so that an interruption leaves the
    previous file. To resume training use `Backup`.

    Args:
        path: Path of the file, e.g. "run/best.keras".
        monitor: Key of the logs, e.g. "robust_accuracy". An epoch is saved
            only when its logs have the key, with a higher value than ever
            before; put the callback that adds the key before this one. None,
            the default, saves each epoch.
        best: Value of `monitor` that the first saved epoch must exceed, for a
            resumed run; default -inf.

    Raises:
        ValueError: for a `path` that does not end in ".keras"; when saving,
            for weights that are not finite.
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
            self.path.suffix == ".keras",
            "`path` must end in '.keras', because the file holds the "
            "classifier alone; to resume training use Backup.",
            path,
        )
        self.monitor = monitor
        self.best = best
        self._seen = False

    def save(self, model: keras.Model) -> None:
        """Writes the file; only the first of several workers writes.

        Args:
            model: Built model.
        """
        classifier = _plain_classifier(model)
        if first_variable(classifier):
            raise NotFinite(
                model,
                f"The model is not finite, so {self.path} was not written; "
                "lower the learning rate, or warm it up for longer.",
            )
        if workers.is_chief(model.distribute_strategy):
            with replaced(self.path) as aside:
                classifier.save(aside)

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
            checks.warn(
                f"{self.path} was not saved, because the logs never had "
                f"{self.monitor!r}. Put the callback that adds this number "
                "before `Checkpoint`."
            )


def _plain_classifier(model: keras.Model) -> keras.Model:
    net = model.classifier if isinstance(model, AdversarialModel) else model
    inputs = getattr(net, "inputs", None)
    if not inputs or len(inputs) > 1 or len(net.outputs) > 1:
        return net
    # Without this a file would need the model's own class or its compiled
    # optimizer to be loaded.
    return keras.Model(inputs[0], net.outputs[0], name=net.name)
