"""Adversarial images during training, for TensorBoard."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import tensorflow as tf

from ijsat_tf import checks
from ijsat_tf.attacks import Attack
from ijsat_tf.runtime import workers
from ijsat_tf.training.callbacks.attack_callback import AttackCallback


class AdversarialImages(AttackCallback):
    """Writes the adversarial images of a few samples for TensorBoard.

    The picture "adversarial/<attack>" has the epoch as its step and shows
    three rows: originals, adversarial images and differences. A difference of
    0 is grey, and the largest difference of the picture is black or white. The
    callback does not change the training.

    Args:
        attack: Untargeted attack.
        data: Samples, at most 10, as `RobustAccuracy` takes them.
        directory: Folder of the event files, e.g. "run/events/adversarial".
        every: Number of epochs from one picture to the next, default 5; the
            last epoch has a picture as well.
        seed: Seed of the attack's random starts, default 0.

    Raises:
        ValueError: for settings or data that do not fit; when training
            begins, for data that do not fit the classifier.
    """

    def __init__(
        self,
        attack: Attack,
        data: Any,
        directory: str | os.PathLike,
        every: int = 5,
        seed: int = 0,
    ):
        super().__init__(attack, data, every, seed)
        rows, *_, channels = self.samples.images.shape
        checks.require(
            rows <= 10,
            "`data` must be at most 10 samples; pass (images[:10], "
            "labels[:10]).",
            f"{rows} samples",
        )
        checks.require(
            channels <= 4,
            "The images of `data` must have from 1 to 4 channels, because "
            "TensorBoard shows no others; leave this callback out.",
            f"{channels} channels",
        )
        self.directory = os.fspath(directory)
        self._writer = None

    def on_attack(self, epoch: int, logs: dict[str, Any]) -> None:
        batch, result = self.attack_batch()
        if not workers.is_chief(self.model.distribute_strategy):
            return
        if self._writer is None:
            self._writer = tf.summary.create_file_writer(self.directory)
        with self._writer.as_default():
            tf.summary.image(
                f"adversarial/{type(self.attack).__name__}",
                _panel(batch.images.numpy(), result.images.numpy())[np.newaxis],
                step=epoch,
                description="originals, adversarial samples, differences",
            )
        self._writer.flush()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _panel(images: np.ndarray, adversarial: np.ndarray) -> np.ndarray:
    change = adversarial - images
    largest = max(float(np.abs(change).max()), 1e-12)
    rows = images, adversarial, 0.5 + 0.5 * change / largest
    # White lines between the pictures.
    border = [(1, 1), (1, 1), (0, 0)]
    return np.concatenate(
        [
            np.concatenate(
                [np.pad(one, border, constant_values=1) for one in row], axis=1
            )
            for row in rows
        ]
    ).astype("float32")
