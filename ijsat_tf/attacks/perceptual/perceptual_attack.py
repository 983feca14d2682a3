"""The base class of attacks within a perceptual distance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from ijsat_tf import checks, losses, seeds
from ijsat_tf.attacks.attack import Attack, AttackResult
from ijsat_tf.attacks.outcome import succeeds
from ijsat_tf.attacks.perceptual.perceptual_ball import PerceptualBall
from ijsat_tf.models.perceptual_distance import PerceptualDistance, norm
from ijsat_tf.types import LogitsFn, Tensors, value

_NOISE = 0.01


@value
class PerceptualAttack(Attack):
    """Searches among the images x^ with d(x, x^) <= bound.

    d is a neural perceptual distance, by default that of the attacked
    classifier's own activations ("self-bounded"). The search maximises the
    margin max_{k != y} f(x^)_k - f(x^)_y, from x + 0.01 N(0, 1). For soft
    labels, y is the class of the largest probability. Subclasses define
    `find`.

    Args:
        bound: Bound of the distance, default 0.5.
        distance: Perceptual distance, an `ijsat_tf.models.PerceptualDistance`
            or `ijsat_tf.models.LPIPS`; None, the default, stands for the
            classifier's own distance. The classifier must then be a
            functional or sequential Keras model.
        steps: Number of updates, default 20.
        layers: Names of the layers that the classifier's own distance
            compares, as for `ijsat_tf.models.stages`; None, the default,
            stands for `stage1`, `stage2` and so on.
        targeted: Whether labels are target classes, default False.

    Raises:
        ValueError: for settings out of range; when called, for a classifier
            without such layers.

    Source: Laidlaw et al., Perceptual Adversarial Robustness: Defense Against
    Unseen Threat Models, 2021.
    """

    bound: float = 0.5
    distance: Any = None
    steps: int = 20
    layers: tuple[str, ...] | None = None
    targeted: bool = False
    counts = ("steps",)

    def __post_init__(self):
        super().__post_init__()
        checks.not_negative("bound", self.bound)
        object.__setattr__(self, "bound", float(self.bound))
        checks.require(
            self.distance is None or hasattr(self.distance, "prepare"),
            "`distance` must be None or a perceptual distance, such as "
            "ijsat_tf.models.PerceptualDistance(network).",
            repr(self.distance),
        )
        checks.require(
            self.distance is None or self.layers is None,
            "`layers` must be None with a `distance`, because they name "
            "layers of the attacked classifier; set the layers of the "
            "`distance` itself.",
            repr(self.layers),
        )

    @property
    def radii(self) -> dict[str, float]:
        return {"perceptual": self.bound}

    def find(
        self, ball: PerceptualBall, labels: tf.Tensor, start: tf.Tensor
    ) -> tf.Tensor:
        """Searches for adversarial images in [0, 1].

        Args:
            ball: Perceptual ball around the images.
            labels: Labels (B, K).
            start: Images to start from, (B, H, W, C), which may leave [0, 1] a
                little.

        Returns:
            Images (B, H, W, C) in [0, 1].
        """
        raise NotImplementedError

    def craft(
        self,
        logits_of: LogitsFn,
        images: tf.Tensor,
        labels: tf.Tensor,
        seed: tf.Tensor,
        latents: Tensors | None = None,
    ) -> AttackResult:
        both = self._both(logits_of)

        def view(images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            features, logits = both(images)
            return tf.cast(features, images.dtype), tf.cast(logits, tf.float32)

        ball = PerceptualBall(images, view(images)[0], view, self.bound)
        noise = seeds.normal(images, seeds.derive(seed, "start"))
        found = self.find(ball, labels, images + _NOISE * noise)
        adversarial = tf.ensure_shape(found, images.shape)
        features, logits = view(adversarial)
        success = succeeds(logits, labels, self.targeted)
        return AttackResult(
            adversarial,
            success,
            losses.cross_entropy(labels, logits),
            {"perceptual": norm(features - ball.origin)},
            tf.zeros_like(success),
        )

    def margin(self, labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """The margin that is maximised, positive for a success, (B,)."""
        ahead = losses.margin(labels, logits)
        return ahead if self.targeted else -ahead

    def _both(self, logits_of: LogitsFn) -> Callable:
        """A function from images to features and logits."""
        if self.distance is not None:
            features = self.distance.prepare()
            return lambda images: (features(images), logits_of(images))
        model = getattr(logits_of, "model", None)
        # A model in training holds the classifier as an attribute.
        model = getattr(model, "classifier", model)
        try:
            own = PerceptualDistance(model, self.layers)
        except ValueError as error:
            raise ValueError(
                "Without a `distance`, a perceptual attack compares layers of "
                "the classifier, and cannot find these layers: "
                f"give `layers`, or a `distance`. {error}"
            ) from error
        # One forward pass gives both features and logits.
        return own.with_outputs()
