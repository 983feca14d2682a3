"""The base class of attacks, and the result of an attack."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from ijsat_tf import checks, seeds
from ijsat_tf.models.as_logits import (
    PROBABILITIES,
    as_logits,
    first_logits,
    seem_probabilities,
)
from ijsat_tf.runtime.compiled import compiled
from ijsat_tf.runtime.side_by_side import side_by_side
from ijsat_tf.spaces import Ball
from ijsat_tf.spaces.lifting import lifted, lowered
from ijsat_tf.types import LogitsFn, Seed, Tensor, Tensors, Value, value


class AttackResult(NamedTuple):
    """The result of an attack on a batch, as tensors.

    Attributes:
        images: Adversarial images x^, (B, H, W, C) in [0, 1].
        success: Whether the model's class of exactly these images differs
            from the label's, (B,) bool; clean errors count as successes. For
            a targeted attack, whether the two classes are the same.
        loss: Cross entropy of exactly these images in nats, (B,).
        budget: Norm of the change in each space, {space: (B,)}.
        overflowed: Whether the generator's image was not finite, (B,) bool. The
            result is then the unchanged image, and tells nothing about
            robustness.
    """

    images: tf.Tensor
    success: tf.Tensor
    loss: tf.Tensor
    budget: dict[str, tf.Tensor]
    overflowed: tf.Tensor


@value
class Attack(Value):
    """Settings of an attack; a call attacks a model.

    An attack holds budgets and generators, never the classifier, and changes
    no variable. Subclasses define `craft`, or only a space, see
    `ijsat_tf.attacks.SpaceAttack`.

    Attributes:
        counts: Names of the fields that are numbers of iterations.

    Raises:
        ValueError: for a count that is no integer from 1 to 2^31 - 1.
    """

    counts = ()

    def __post_init__(self):
        super().__post_init__()
        for name in self.counts:
            count = checks.iterations(name, getattr(self, name))
            object.__setattr__(self, name, count)

    @property
    def labels_are_targets(self) -> bool:
        """Whether labels are target classes rather than true classes.

        The field `targeted` decides. Attacks whose field means something
        else, such as `FAB`, override this.
        """
        return getattr(self, "targeted", False)

    @property
    def by_sample(self) -> bool:
        """Whether the result per sample is independent of other samples."""
        return True

    @property
    def radii(self) -> dict[str, float]:
        """The largest norms of changes, by the names in the result's budget.

        The dict is empty where the attack does not tell these norms.
        """
        return {}

    @property
    def pixel_ball(self) -> Ball | None:
        """The ball of pixels around the image that the attack stays in.

        None where the attack does not stay in such a ball.
        """
        return None

    def craft(
        self,
        logits_of: LogitsFn,
        images: tf.Tensor,
        labels: tf.Tensor,
        seed: tf.Tensor,
        latents: Tensors | None = None,
    ) -> AttackResult:
        """Runs the attack as graph operations, on checked arguments.

        Args:
            logits_of: Function from images to logits (B, K), float32. If
                `as_logits` made the function, its attribute `model` is the
                model itself.
            images: Images (B, H, W, C) in [0, 1].
            labels: Probabilities of the classes, (B, K).
            seed: Random seed, (2,) int32.
            latents: Latents given with the images; None, the default, for no
                latents.

        Returns:
            An `AttackResult` with one row per sample in each part.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must define `craft`, or be a subclass of "
            "SpaceAttack with a `space`."
        )

    @tf.autograph.experimental.do_not_convert
    def __call__(
        self,
        model: Callable,
        images: Tensor,
        labels: Tensor,
        seed: Seed = 0,
        latents: Tensors | None = None,
    ) -> AttackResult:
        """Attacks a model; eagerly, or inside a `tf.function`.

        Args:
            model: Keras model (called with `training=False`) or another
                callable from images in [0, 1] to logits (B, K).
            images: Images (B, H, W, C), float, in [0, 1].
            labels: Integer labels (B,) or soft labels (B, K); for a targeted
                attack, the target classes.
            seed: Random seed of the attack, default 0.
            latents: Latents given with the data; None, the default, encodes
                the images where a space needs latents.

        Returns:
            An `AttackResult`.

        Raises:
            ValueError: for images that are not floats in [0, 1] of shape
                (B, H, W, C), or labels that do not fit.
        """
        result, probabilities = self._attacked(
            model, images, labels, seed, latents
        )
        if tf.executing_eagerly():
            _warn(result, bool(probabilities))
        return result

    @tf.autograph.experimental.do_not_convert
    def adversarial(
        self,
        model: Callable,
        images: Tensor,
        labels: Tensor,
        seed: Seed = 0,
        latents: Tensors | None = None,
    ) -> tf.Tensor:
        """Returns the adversarial images alone, for training.

        A call of the attack also classifies these images, for `success` and
        `loss`. This method leaves that last pass of the network out.

        Args:
            model: Model, as for a call of the attack.
            images: Images (B, H, W, C), float, in [0, 1].
            labels: Integer labels (B,) or soft labels (B, K); for a targeted
                attack, the target classes.
            seed: Random seed of the attack, default 0.
            latents: Latents given with the data, as for a call of the attack;
                default None.

        Returns:
            Adversarial images (B, H, W, C) in [0, 1].

        Raises:
            ValueError: as a call of the attack does.
        """
        found, _ = self._attacked(model, images, labels, seed, latents, True)
        return found

    def _attacked(
        self,
        model: Callable,
        images: Tensor,
        labels: Tensor,
        seed: Seed,
        latents: Tensors | None,
        images_only: bool = False,
    ) -> tuple[Any, tf.Tensor]:
        images, labels = checked(model, images, labels)
        seed = seeds.derive(seed)
        if tf.executing_eagerly() and not getattr(model, "built", True):
            # The graph below is shared, and later traces make no variables.
            as_logits(model)(images[:1])
        if latents is not None:
            latents = tf.nest.map_structure(tf.convert_to_tensor, latents)
            for latent in tf.nest.flatten(latents):
                checks.require(
                    latent.shape[:1].is_compatible_with(images.shape[:1]),
                    "`latents` must have one entry for each of the "
                    f"{images.shape[0]} images.",
                    f"shape {tuple(latent.shape)}",
                )
        attack, radii = lifted(self)
        return _attack(
            attack,
            model,
            radii,
            images,
            labels,
            seed,
            latents,
            tuple(images.shape[1:]),
            images_only,
        )


def checked(
    model: Callable, images: Tensor, labels: Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Checks images and labels, and returns both as tensors.

    Args:
        model: Keras model or another callable.
        images: Images (B, H, W, C), float, in [0, 1].
        labels: Labels (B,) or (B, K).

    Returns:
        Images (B, H, W, C), at least float32, and labels (B,) or (B, K).

    Raises:
        ValueError: for images or labels that do not fit, or an empty batch.
    """
    expected = None
    if isinstance(model, keras.Model):
        expected = getattr(model, "input_shape", None)
    single = isinstance(expected, tuple) and len(expected) == 4
    images = checks.images(images, shape=expected[1:] if single else None)
    checks.require(
        images.shape[0] != 0,
        "`images` must hold at least one image; skip empty batches.",
        f"shape {tuple(images.shape)}",
    )
    if images.dtype.size < 4:
        # Half precision is too coarse for steps below one grey level.
        images = tf.cast(images, tf.float32)
    return images, checks.one_a_row(labels, images)


def _warn(result: AttackResult, probabilities: bool) -> None:
    if probabilities:
        checks.warn(PROBABILITIES)
    overflowed = int(tf.math.count_nonzero(result.overflowed))
    if overflowed:
        checks.warn(
            f"{overflowed} of {len(result.overflowed)} images are unchanged, "
            "because the generator overflowed: these samples tell nothing "
            "about robustness. Use a smaller latent radius, or a flow that "
            "was trained on such images."
        )


def require_untargeted(attack: Any, what: str) -> None:
    """Checks that an argument is an untargeted attack.

    Args:
        attack: Argument to check.
        what: Name of the argument in the message, e.g. "`attack`".

    Raises:
        ValueError: for a targeted attack, or an argument that is no attack.
    """
    checks.require(
        isinstance(attack, Attack),
        f"{what} must be an attack, such as "
        "PGD(Linf(8 / 255, step=2 / 255), steps=10).",
        repr(attack),
    )
    checks.require(
        not attack.labels_are_targets,
        f"{what} must be untargeted, because the labels are the true classes "
        "and not target classes; leave `targeted` out.",
        repr(attack),
    )


@compiled(rows=("images", "labels", "latents"))
def _attack(
    attack: Attack,
    model: Callable,
    radii: tf.Tensor,
    images: tf.Tensor,
    labels: tf.Tensor,
    seed: tf.Tensor,
    latents: Tensors | None,
    image_shape: tuple[int | None, ...],
    images_only: bool,
) -> tuple[AttackResult | tf.Tensor, tf.Tensor]:
    # Images of different sizes do not share a graph.
    images = tf.ensure_shape(images, [None, *image_shape])
    attack = lowered(attack, tf.cast(radii, images.dtype))
    logits_of = as_logits(model)
    first = first_logits(logits_of, images)
    labels = checks.one_hot(labels, first.shape[-1])

    def craft(images: tf.Tensor, labels: tf.Tensor, latents: Any) -> Any:
        result = attack.craft(logits_of, images, labels, seed, latents)
        checks.require(
            isinstance(result, AttackResult),
            f"`craft` of {type(attack).__name__} must return an AttackResult "
            "(ijsat_tf.attacks.AttackResult).",
            type(result).__name__,
        )
        return result.images if images_only else result

    result = side_by_side(
        craft, (images, labels, latents), split=attack.by_sample
    )
    result = tf.nest.map_structure(tf.stop_gradient, result)
    return result, seem_probabilities(first)
