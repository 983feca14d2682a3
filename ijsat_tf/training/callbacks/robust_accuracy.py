"""Robust accuracy during training: the curves of Fig. 2 and 7."""

from __future__ import annotations

import math
import os
import pathlib
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from ijsat_tf import checks
from ijsat_tf.attacks import Attack, as_logits
from ijsat_tf.models.as_logits import first_logits
from ijsat_tf.runtime import workers
from ijsat_tf.runtime.compiled import compiled
from ijsat_tf.runtime.side_by_side import side_by_side
from ijsat_tf.training.callbacks.attack_callback import AttackCallback
from ijsat_tf.training.callbacks.console import say
from ijsat_tf.training.callbacks.learning_curve import (
    Point,
    read_curve,
    write_curve,
)


class RobustAccuracy(AttackCallback):
    """Adds clean and robust accuracy to the logs of every few epochs.

    After every `every`-th epoch and after the last epoch, the history and the
    logs of later callbacks have `clean_accuracy` and `robust_accuracy`, both
    fractions of all samples. The logs of other epochs lack these two keys.
    The callback does not change the training. Under a strategy all replicas
    share the work of the attack, and only the chief of several workers writes.

    Args:
        attack: Untargeted attack, e.g.
            `PGD(Linf(8 / 255, step=2 / 255), steps=20)`.
        data: Samples (x, y), or a `tf.data.Dataset` of such batches, which
            should be held out: x images (N, H, W, C) in [0, 1], or
            {"image": ..., "latent": ...} where latents come with the data; y
            (N,) ints or (N, K) soft labels.
        every: Number of epochs from one attack to the next, default 5.
        batch_size: Number of images attacked at once, default 128; the last
            batch may be smaller.
        seed: Seed of the attack's random starts, which are the same each
            time; default 0.
        path: Path of a CSV file with columns epoch (from 1), clean_accuracy
            and robust_accuracy, which a resumed run continues; rows of epochs
            that are trained again are dropped. None, the default, writes no
            file.

    Raises:
        ValueError: for settings, data or a file that do not fit; when
            training begins, for data that do not fit the classifier.
    """

    def __init__(
        self,
        attack: Attack,
        data: Any,
        every: int = 5,
        batch_size: int = 128,
        seed: int = 0,
        path: str | os.PathLike | None = None,
    ):
        super().__init__(attack, data, every, seed)
        self.batch_size = checks.at_least_one("batch_size", batch_size)
        self.path = None if path is None else pathlib.Path(path)
        known = self.path is not None and self.path.exists()
        self.curve = read_curve(self.path) if known else []

    def best(self, monitor: str = "robust_accuracy") -> float:
        """The highest accuracy so far, or -inf before the first attack.

        Args:
            monitor: Accuracy to look at, "robust_accuracy" or
                "clean_accuracy"; default "robust_accuracy".
        """
        found = [getattr(point, monitor) for point in self.curve]
        return max(found, default=-math.inf)

    def resume(self, epoch: int) -> None:
        """Forgets the accuracies after the first `epoch` epochs.

        Every epoch of `fit` calls this method as it begins. Call it yourself
        only if you need `best` before `fit`.

        Args:
            epoch: Number of finished epochs.
        """
        # The file keeps the later points until a new point is written.
        self.curve = [point for point in self.curve if point.epoch <= epoch]

    def on_epoch_begin(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        self.resume(epoch)

    def on_attack(self, epoch: int, logs: dict[str, Any]) -> None:
        begin = time.perf_counter()
        rows = len(self.samples.images)
        clean = robust = 0
        for start in range(0, rows, self.batch_size):
            batch, result = self.attack_batch(start, self.batch_size)
            truth = batch.labels.numpy()
            truth = truth if truth.ndim == 1 else truth.argmax(axis=1)
            with self.model.distribute_strategy.scope():
                classes = _classes(self.classifier, batch.images)
            clean += np.sum(classes.numpy() == truth)
            robust += np.sum(~result.success.numpy())
        point = Point(epoch, float(clean / rows), float(robust / rows))
        self.curve = [*self.curve, point]
        chief = workers.is_chief(self.model.distribute_strategy)
        if chief and self.path is not None:
            write_curve(self.curve, self.path)
        logs["clean_accuracy"] = point.clean_accuracy
        logs["robust_accuracy"] = point.robust_accuracy
        if not chief:
            return
        say(
            self,
            f"epoch {epoch}: {100 * point.clean_accuracy:.1f} % clean, "
            f"{100 * point.robust_accuracy:.1f} % under {self.attack!r} of "
            f"{rows} images, {time.perf_counter() - begin:.0f} s",
        )


@compiled(rows=("images",))
def _classes(model: Callable, images: tf.Tensor) -> tf.Tensor:
    logits_of = as_logits(model)
    first_logits(logits_of, images)
    return side_by_side(
        lambda images: tf.argmax(
            checks.finite_outputs(logits_of(images)), axis=1
        ),
        (images,),
    )
