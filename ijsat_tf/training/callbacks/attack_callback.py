"""The base class of callbacks that attack a model during training."""

from __future__ import annotations

from typing import Any

import keras

from ijsat_tf import checks, seeds
from ijsat_tf.attacks import (
    Attack,
    AttackResult,
    as_logits,
    require_untargeted,
)
from ijsat_tf.samples import Batch, gather
from ijsat_tf.training.model import AdversarialModel


class AttackCallback(keras.callbacks.Callback):
    """Attacks the classifier after every few epochs, and after the last.

    The callback does not change the training: it writes no variable, and its
    random numbers follow from `seed` alone. Subclasses define `on_attack`.

    Args:
        attack: Untargeted attack.
        data: Samples (x, y), or a `tf.data.Dataset` of such batches: x images
            (N, H, W, C) in [0, 1], or {"image": ..., "latent": ...}; y (N,)
            ints or (N, K) soft labels.
        every: Number of epochs from one attack to the next.
        seed: Seed of the attack's random starts.

    Raises:
        ValueError: for settings or data that do not fit; when training
            begins, for data that do not fit the classifier.
    """

    def __init__(
        self,
        attack: Attack,
        data: Any,
        every: int,
        seed: int,
    ):
        super().__init__()
        require_untargeted(attack, "`attack`")
        self.attack = attack
        self.samples = gather(data)
        self.every = checks.at_least_one("every", every)
        seeds.derive(seed)
        self.seed = seed

    @property
    def classifier(self) -> keras.Model:
        """The classifier that is attacked."""
        model = self.model
        adversarial = isinstance(model, AdversarialModel)
        return model.classifier if adversarial else model

    def on_attack(self, epoch: int, logs: dict[str, Any]) -> None:
        """Runs when an attack is due.

        Args:
            epoch: Number of finished epochs.
            logs: Logs that later callbacks and the history see.
        """
        raise NotImplementedError

    def attack_batch(
        self, start: int = 0, size: int | None = None
    ) -> tuple[Batch, AttackResult]:
        """Attacks `size` samples from `start` on, or all samples.

        Args:
            start: Number of the first sample, default 0.
            size: Number of samples; None, the default, for all that follow.

        Returns:
            Attacked samples and the result of the attack.
        """
        batch = self.samples.rows(start, None if size is None else start + size)
        # An evaluation with this seed and batch size has the same random
        # numbers.
        draw = seeds.derive(self.seed, "evaluate", start)
        # In the scope each replica attacks a part of the samples.
        with self.model.distribute_strategy.scope():
            result = self.attack(
                self.classifier, batch.images, batch.labels, draw, batch.latents
            )
        return batch, result

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        # Check the data now, not hours later when the first attack is due.
        logits = as_logits(self.classifier)(self.samples.images[:1])
        checks.one_hot(self.samples.labels, logits.shape[-1])

    def on_epoch_end(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        finished = epoch + 1
        if finished % self.every == 0 or finished == self.params["epochs"]:
            self.on_attack(finished, {} if logs is None else logs)
