"""What an attack is: a value that maps images to adversarial images."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from ijsat_tf import checks, seeds
from ijsat_tf.graph import compiled
from ijsat_tf.models.as_logits import as_logits
from ijsat_tf.parts import side_by_side
from ijsat_tf.spaces.lifting import lifted, lowered
from ijsat_tf.types import LogitsFn, Seed, Tensor, Tensors, Value, value


class AttackResult(NamedTuple):
    """What an attack found.

    Attributes:
        images: x^, (B, H, W, C) in [0, 1].
        success: (B,) bool: the model's class of exactly these images is not
            the label's (clean errors count); for a targeted attack, it is.
        loss: (B,) nats, the cross entropy of exactly these images.
        budget: {space: (B,)}, the norm of the change in each space.
        overflowed: (B,) bool: the generator gave no finite image, so that
            the image is unchanged. Such a sample says nothing of robustness.
    """

    images: tf.Tensor
    success: tf.Tensor
    loss: tf.Tensor
    budget: dict[str, tf.Tensor]
    overflowed: tf.Tensor


@value
class Attack(Value):
    """Settings of an attack; calling it attacks a model.

    It holds budgets and generators, never the classifier, and changes no
    variable. Subclasses define `craft`, or `search`, an attack that does the
    work.
    """

    def __post_init__(self):
        super().__post_init__()
        # So that wrong settings are refused at once.
        _ = self.search

    @property
    def search(self) -> Attack:
        """The attack that this one is a name for."""
        raise NotImplementedError

    @property
    def labels_are_targets(self) -> bool:
        """Whether labels are classes to reach, not the true ones.

        The attack that does the work knows: by its field `targeted`, unless
        that means something else, as for `FAB`.
        """
        if self.search is not self:
            return self.search.labels_are_targets
        return getattr(self, "targeted", False)

    @property
    def by_sample(self) -> bool:
        """Whether what is found for a sample is its own affair alone."""
        return self.search is self or self.search.by_sample

    def craft(
        self,
        logits_of: LogitsFn,
        images: tf.Tensor,
        labels: tf.Tensor,
        seed: tf.Tensor,
        latents: Tensors | None = None,
    ) -> AttackResult:
        """The attack as graph operations; arguments are checked already.

        Args:
            logits_of: from images to logits (B, K), float32; what
                `as_logits` made has the model itself as `logits_of.model`.
            images: (B, H, W, C) in [0, 1].
            labels: (B, K) probabilities.
            seed: (2,) int32.
            latents: those that came with the images, or None.
        """
        return self.search.craft(logits_of, images, labels, seed, latents)

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
            model: a Keras model (called with `training=False`) or another
                callable from images in [0, 1] to logits (B, K).
            images: (B, H, W, C), float, in [0, 1].
            labels: (B,) ints or (B, K) soft labels; for a targeted attack,
                the targets.
            seed: of the random start, default 0.
            latents: those that came with the data; None, the default, to
                encode them from the images where a space needs them.

        Returns:
            An `AttackResult`.

        Raises:
            ValueError: for images that are no floats in [0, 1] of shape
                (B, H, W, C), or labels that do not fit.
        """
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
        result, probabilities = _attack(
            attack,
            model,
            radii,
            images,
            labels,
            seed,
            latents,
            tuple(images.shape[1:]),
        )
        if tf.executing_eagerly():
            _warn(result, bool(probabilities))
        return result


def checked(
    model: Callable, images: Tensor, labels: Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Images and labels as tensors, once they are seen to fit.

    Args:
        model: Keras model or another callable.
        images: (B, H, W, C), float, in [0, 1].
        labels: (B,) or (B, K).

    Raises:
        ValueError: for images or labels that do not fit, or none.
    """
    expected = None
    if isinstance(model, keras.Model):
        expected = getattr(model, "input_shape", None)
    single = isinstance(expected, tuple) and len(expected) == 4
    images = checks.images(images, shape=expected[1:] if single else None)
    checks.require(
        images.shape[0] != 0,
        "`images` must hold at least one; skip empty batches.",
        f"shape {tuple(images.shape)}",
    )
    if images.dtype.size < 4:
        # Too coarse for steps of a fraction of a grey level.
        images = tf.cast(images, tf.float32)
    return images, checks.one_a_row(labels, images)


def _warn(result: AttackResult, probabilities: bool) -> None:
    if probabilities:
        warnings.warn(
            "The model's outputs look like probabilities; attacks need "
            "logits. Use ijsat_tf.models.logits(model).",
            stacklevel=3,
        )
    overflowed = int(tf.math.count_nonzero(result.overflowed))
    if overflowed:
        warnings.warn(
            f"{overflowed} of {len(result.overflowed)} images are unchanged, "
            "since the generator overflowed: these samples say nothing of "
            "robustness. Use a smaller latent radius, or a flow that was "
            "trained on such images.",
            stacklevel=3,
        )


def require_untargeted(attack: Any, what: str) -> None:
    """Raises `ValueError` unless this is an attack, and away from labels.

    Args:
        attack: what was given.
        what: e.g. "`attack`", for the message.
    """
    checks.require(
        isinstance(attack, Attack),
        f"{what} must be an attack, such as "
        "PGD(Linf(8 / 255, step=2 / 255), steps=10).",
        repr(attack),
    )
    checks.require(
        not attack.labels_are_targets,
        f"{what} must be untargeted: labels here are the true classes, not "
        "targets.",
        repr(attack),
    )


@compiled
def _attack(
    attack: Attack,
    model: Callable,
    radii: tf.Tensor,
    images: tf.Tensor,
    labels: tf.Tensor,
    seed: tf.Tensor,
    latents: Tensors | None,
    image_shape: tuple[int | None, ...],
) -> tuple[AttackResult, tf.Tensor]:
    # Batches of several sizes share a graph; images of several do not.
    images = tf.ensure_shape(images, [None, *image_shape])
    attack = lowered(attack, tf.cast(radii, images.dtype))
    logits_of = as_logits(model)
    # A first call outside of any loop, where variables may still be made.
    first = logits_of(images[:1])
    labels = checks.one_hot(labels, first.shape[-1])
    sums = tf.reduce_sum(first, axis=-1)
    probabilities = tf.reduce_all(first >= 0) & tf.reduce_all(
        tf.abs(sums - 1) < 1e-2  # bfloat16 has few digits.
    )
    result = side_by_side(
        lambda images, labels, latents: attack.craft(
            logits_of, images, labels, seed, latents
        ),
        (images, labels, latents),
        split=attack.by_sample,
    )
    return tf.nest.map_structure(tf.stop_gradient, result), probabilities
