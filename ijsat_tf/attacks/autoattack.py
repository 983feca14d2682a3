"""AutoAttack: an ensemble of attacks, each on what the others left."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from ijsat_tf import checks, fingerprints, multi_worker, seeds
from ijsat_tf.attacks import reliability, standing, survivors
from ijsat_tf.attacks.attack import Attack, AttackResult, as_logits, checked
from ijsat_tf.attacks.stages import stages
from ijsat_tf.attacks.standing import ALIVE, Standing
from ijsat_tf.attacks.verdict import require_hard, require_pixel_ball
from ijsat_tf.samples import Samples
from ijsat_tf.spaces import Ball
from ijsat_tf.types import LogitsFn, Seed, Tensor, Tensors, value


class Verdict(NamedTuple):
    """What AutoAttack found, stage by stage.

    Attributes:
        images: (N, H, W, C), adversarial where one was found, else clean.
        alive: {stage: (N,) bool}, the samples that neither it nor any stage
            before it changed the class of; first "clean", those that are
            right without any attack. The last one is the verdict.
        loss: (N,) nats, the cross entropy of exactly these images.
    """

    images: np.ndarray
    alive: dict[str, np.ndarray]
    loss: np.ndarray

    @property
    def robust(self) -> np.ndarray:
        """The samples that survived all stages, (N,) bool."""
        return list(self.alive.values())[-1]


@value
class AutoAttack(Attack):
    """APGD, FAB and Square, each on the images that are still classified
    correctly, and each from the clean image.

    It is no graph operation: samples leave as they fall. Inside a graph, and
    for training, use one of its stages, such as `APGD`.

    Args:
        ball: `Linf` or `L2`, e.g. `Linf(8 / 255)`; its own step plays no part.
        version: "standard", the default: apgd-ce, apgd-t, fab-t and square;
            "plus": also apgd-dlr and fab, with restarts; "rand", for
            randomised models: apgd-ce and apgd-dlr, with averaged gradients;
            or "custom".
        attacks: names of the stages, in order, of the version "custom".
        batch_size: how many images are attacked together, default 250.

    Raises:
        ValueError: for settings out of range; when called, for soft labels.

    Source: Croce and Hein, Reliable Evaluation of Adversarial Robustness with
    an Ensemble of Diverse Parameter-free Attacks, 2020. Settings are those of
    https://github.com/fra31/auto-attack.
    """

    ball: Ball
    version: str = "standard"
    attacks: tuple[str, ...] | None = None
    batch_size: int = 250

    def __post_init__(self):
        super().__post_init__()
        require_pixel_ball(self.ball, "AutoAttack")
        _ = self.stages
        count = checks.at_least_one("batch_size", self.batch_size)
        object.__setattr__(self, "batch_size", count)

    @property
    def stages(self) -> dict[str, Attack]:
        """The attacks by their names, in order."""
        return stages(self.ball, self.version, self.attacks)

    @property
    def search(self) -> AutoAttack:
        return self

    def craft(self, *_: Any, **__: Any) -> AttackResult:
        raise ValueError(
            "AutoAttack removes samples as they fall, which a graph cannot. "
            "Call it outside of any tf.function; inside one, and for "
            "training, use a stage of it such as APGD(ball)."
        )

    def __call__(
        self,
        model: Callable,
        images: Tensor,
        labels: Tensor,
        seed: Seed = 0,
        latents: Tensors | None = None,
    ) -> AttackResult:
        """Attacks a model, eagerly; see `Attack`."""
        verdict = self._run(model, images, labels, seed, None, False)
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
        """Attacks a model, and tells what each stage found.

        Args:
            model: as in a call.
            images: (N, H, W, C), float, in [0, 1].
            labels: (N,) ints, or (N, K) with one class a row.
            seed: of all that is random, default 0.
            state: an .npz file in which a run is kept while it lasts, and from
                which the same call continues it, to the same verdict as
                without the interruption; default None, for none. Of several
                workers all read it, and the chief writes.
            verbose: whether to show progress and survivors, default True.

        Returns:
            A `Verdict`.

        Raises:
            ValueError: for images and labels that do not fit, and for a state
                that is truncated or that of another run.
        """
        return self._run(model, images, labels, seed, state, verbose)

    def _fingerprint(
        self, logits_of: LogitsFn, logits: tf.Tensor, images: tf.Tensor
    ) -> str:
        known = isinstance(logits_of.model, keras.layers.Layer)
        if not known and reliability.differ(logits, logits_of(images)):
            # Nothing tells one such function from another.
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
        given = Samples(images.numpy(), labels.numpy())
        wrong, *_ = survivors.judged(model, given, self.batch_size)
        now = Standing(settings, given.images.copy(), np.where(wrong, 0, ALIVE))
        state = None if state is None else pathlib.Path(state)
        chief = multi_worker.is_chief(tf.distribute.get_strategy())
        if state is not None:
            if state.exists():
                now = standing.load(state, now)
            if chief:
                # Attacks take hours; whether one can write shows at once.
                standing.save(now, state)
        for number, (name, attack) in enumerate(attacks.items(), 1):
            if number == now.stage:
                now = survivors.attacked(
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
        _, loss, finite = survivors.judged(model, final, self.batch_size)
        reliability.check_finite(finite)
        reliability.check_square(alive)
        return Verdict(now.images, alive, loss)
