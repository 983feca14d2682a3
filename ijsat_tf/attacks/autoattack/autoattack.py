"""AutoAttack: an ensemble of attacks, run one after another."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from ijsat_tf import checks, seeds
from ijsat_tf.attacks.attack import Attack, AttackResult, as_logits, checked
from ijsat_tf.attacks.autoattack import reliability, stage, standing
from ijsat_tf.attacks.autoattack.hard_labels import require_hard
from ijsat_tf.attacks.autoattack.standing import ALIVE, Standing
from ijsat_tf.attacks.autoattack.versions import stages
from ijsat_tf.attacks.ball_attack import BallAttack
from ijsat_tf.runtime import workers
from ijsat_tf.samples import Batch
from ijsat_tf.storage import fingerprints
from ijsat_tf.types import LogitsFn, Seed, Tensor, Tensors, value


class Verdict(NamedTuple):
    """The result of AutoAttack, stage by stage.

    Attributes:
        images: Images (N, H, W, C), adversarial where a stage found such an
            image, else clean.
        alive: Samples still classified correctly after each stage,
            {stage: (N,) bool}. The first stage is "clean", without any
            attack; the entry of the last stage is the verdict.
        loss: Cross entropy of exactly these images in nats, (N,).
    """

    images: np.ndarray
    alive: dict[str, np.ndarray]
    loss: np.ndarray

    @property
    def robust(self) -> np.ndarray:
        """The samples that survived all stages, (N,) bool."""
        return list(self.alive.values())[-1]


@value
class AutoAttack(BallAttack):
    """AutoAttack: APGD, FAB and Square, one after another.

    Each stage attacks the images that are still classified correctly, from the
    clean image. AutoAttack cannot run inside a graph, since misclassified
    samples are removed. Inside a graph, and for training, use one of the
    stages, such as `APGD`.

    Args:
        ball: Ball of the pixels, `Linf`, `L2` or `L1`, e.g. `Linf(8 / 255)`;
            the ball's own step is not used.
        version: Version of the ensemble. "standard", the default, has the
            stages apgd-ce, apgd-t, fab-t and square; "plus" also has apgd-dlr
            and fab, and has restarts; "rand", for randomised models, has
            apgd-ce and apgd-dlr, with averaged gradients; "custom" has the
            stages in `attacks`. In an `L1` ball "standard" and "custom" have
            more restarts of apgd-ce, fewer targets of apgd-t, and larger radii
            first.
        attacks: Names of the stages of the version "custom", in order; None,
            the default, for every other version.
        batch_size: Number of images attacked together, default 250.

    Raises:
        ValueError: for settings out of range; when called, for soft labels.

    Source: Croce and Hein, Reliable Evaluation of Adversarial Robustness with
    an Ensemble of Diverse Parameter-free Attacks, 2020; Croce and Hein, Mind
    the Box, 2021, in an L1 ball. The settings are those of
    https://github.com/fra31/auto-attack.
    """

    version: str = "standard"
    attacks: tuple[str, ...] | None = None
    batch_size: int = 250

    def __post_init__(self):
        super().__post_init__()
        _ = self.stages  # Making the stages refuses wrong settings at once.
        count = checks.at_least_one("batch_size", self.batch_size)
        object.__setattr__(self, "batch_size", count)

    @property
    def stages(self) -> dict[str, Attack]:
        """The attacks of the ensemble by name, in order."""
        return stages(self.ball, self.version, self.attacks)

    def craft(self, *_: Any, **__: Any) -> AttackResult:
        raise ValueError(
            "AutoAttack must be called outside of a tf.function, because it "
            "removes samples that are misclassified. Inside a tf.function, "
            "and for training, use one of its stages, such as APGD(ball)."
        )

    def __call__(
        self,
        model: Callable,
        images: Tensor,
        labels: Tensor,
        seed: Seed = 0,
        latents: Tensors | None = None,
        verbose: bool = False,
    ) -> AttackResult:
        """Attacks a model eagerly; see `Attack`.

        Args:
            model: Keras model or another callable from images to logits, see
                `Attack`.
            images: Images (N, H, W, C), float, in [0, 1].
            labels: Integer labels (N,), or labels (N, K) with one class per
                row.
            seed: Random seed of all stages, default 0.
            latents: Latents given with the data, default None; no stage uses
                latents.
            verbose: Whether to show a progress bar per stage, default False.

        Returns:
            An `AttackResult`.

        Raises:
            ValueError: inside a graph, and for images and labels that do not
                fit.
        """
        verdict = self._run(model, images, labels, seed, None, verbose)
        change = verdict.images - tf.cast(images, tf.float32)
        success = tf.convert_to_tensor(~verdict.robust)
        return AttackResult(
            tf.convert_to_tensor(verdict.images),
            success,
            tf.convert_to_tensor(verdict.loss),
            {"pixels": self.ball.norm(change)},
            tf.zeros_like(success),
        )

    def run(
        self,
        model: Callable,
        images: Tensor,
        labels: Tensor,
        seed: Seed = 0,
        state: str | os.PathLike | None = None,
        verbose: bool = True,
    ) -> Verdict:
        """Attacks a model, and returns the result of each stage.

        Args:
            model: Keras model or another callable from images to logits, see
                `Attack`.
            images: Images (N, H, W, C), float, in [0, 1].
            labels: Integer labels (N,), or labels (N, K) with one class per
                row.
            seed: Random seed of all stages, default 0.
            state: Path of an .npz file that keeps the state of the run. After
                an interruption the same call continues from this file, to the
                same verdict as without the interruption. None, the default,
                keeps no state. With several workers, all workers read the
                file and the chief writes it.
            verbose: Whether to show the progress and the number of samples
                still classified correctly, default True.

        Returns:
            A `Verdict`.

        Raises:
            ValueError: for images and labels that do not fit, and for a state
                file that is truncated or belongs to another run.
        """
        return self._run(model, images, labels, seed, state, verbose)

    def _fingerprint(
        self, logits_of: LogitsFn, logits: tf.Tensor, images: tf.Tensor
    ) -> str:
        known = isinstance(logits_of.model, keras.layers.Layer)
        if not known and reliability.differ(logits, logits_of(images)):
            # Nothing distinguishes one such function from another.
            return "a randomised function"
        return fingerprints.of_model(logits_of.model, logits)

    def _run(
        self,
        model: Callable,
        images: Tensor,
        labels: Tensor,
        seed: Seed,
        state: str | os.PathLike | None,
        verbose: bool,
    ) -> Verdict:
        if not tf.executing_eagerly():
            self.craft()
        images, labels = checked(model, images, labels)
        images = tf.cast(images, tf.float32)
        logits_of = as_logits(model)
        logits = logits_of(images[:1])
        labels = checks.one_hot(labels, logits.shape[-1])
        labels = require_hard(labels, "AutoAttack")
        settings = {
            "attack": repr(self),
            "model": self._fingerprint(logits_of, logits, images[:1]),
            "data": fingerprints.of_arrays(images, labels),
            "seed": str(seeds.derive(seed).numpy().tolist()),
        }
        reliability.check_model(
            logits_of,
            images[: self.batch_size],
            labels[: self.batch_size],
            randomized=self.version == "rand",
        )
        attacks = reliability.with_enough_classes(self.stages, labels.shape[-1])
        given = Batch(images.numpy(), labels.numpy())
        wrong, *_ = stage.judged(model, given, self.batch_size)
        now = Standing(settings, given.images.copy(), np.where(wrong, 0, ALIVE))
        state = None if state is None else pathlib.Path(state)
        chief = workers.is_chief(tf.distribute.get_strategy())
        if state is not None:
            if state.exists():
                now = standing.load(state, now)
            if chief:
                # Attacks take hours: a path that cannot be written fails now.
                standing.save(now, state)
        for number, (name, attack) in enumerate(attacks.items(), 1):
            if number == now.stage:
                now = stage.attacked(
                    model,
                    given,
                    now,
                    attack,
                    self.batch_size,
                    seeds.derive(seed, name),
                    state if chief else None,
                    name if verbose and chief else None,
                )
        alive = {
            name: now.alive(number)
            for number, name in enumerate(["clean", *attacks])
        }
        final = given._replace(images=now.images)
        _, loss, finite = stage.judged(model, final, self.batch_size)
        reliability.check_finite(finite)
        reliability.check_square(alive)
        return Verdict(now.images, alive, loss)
