"""The base of attacks that search for the nearest misclassified image."""

from __future__ import annotations

import tensorflow as tf

from ijsat_tf import checks, losses
from ijsat_tf.attacks.attack import Attack, AttackResult
from ijsat_tf.attacks.autoattack.hard_labels import require_hard, verdict
from ijsat_tf.attacks.gradients import of_images
from ijsat_tf.attacks.least_distance.norms import NORMS
from ijsat_tf.attacks.outcome import succeeds
from ijsat_tf.rows import pick
from ijsat_tf.types import LogitsFn, Tensors, value


@value
class LeastDistance(Attack):
    """Minimises |x^ - x| over the misclassified images x^ in [0, 1].

    There is no radius: `budget["pixels"]` of the result is the distance
    |x^ - x| that the search reached. As for `FAB`, a sample that is already
    misclassified is not attacked and has distance 0. A sample for which the
    search found nothing has its own image, `success` False and a budget of 0,
    so read the distance as infinite where `success` is False.
    `ijsat_tf.evaluation.distance_curve` does that. Subclasses define `search`.

    Attributes:
        norm: Name of the norm of distances, "l1", "l2" or "linf"; default
            "l2".
        norms: Names of the norms that the attack can minimise, default "l2"
            alone.
        targeted: Whether labels are target classes, default False.

    Raises:
        ValueError: for another norm.
    """

    norm = "l2"
    norms = ("l2",)
    targeted = False
    counts = ("steps",)

    def __post_init__(self):
        super().__post_init__()
        checks.require(
            self.norm in self.norms,
            f"`norm` of {type(self).__name__} must be one of "
            f"{', '.join(map(repr, self.norms))}.",
            repr(self.norm),
        )

    def search(
        self,
        logits_of: LogitsFn,
        images: tf.Tensor,
        labels: tf.Tensor,
        logits: tf.Tensor,
    ) -> tf.Tensor:
        """Searches for the nearest misclassified images.

        Args:
            logits_of: Function from images to logits (B, K).
            images: Images x, (B, H, W, C) in [0, 1].
            labels: One-hot labels (B, K).
            logits: Logits of the images, (B, K).

        Returns:
            Images (B, H, W, C) in [0, 1]; any image where nothing was found
            or the image is misclassified already.
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
        labels = require_hard(labels, type(self).__name__)
        logits = logits_of(images)
        found = self.search(logits_of, images, labels, logits)
        already = succeeds(logits, labels, self.targeted)
        return verdict(
            logits_of,
            NORMS[self.norm].length,
            images,
            labels,
            pick(already, images, found),
            self.targeted,
        )

    def view(
        self, logits_of: LogitsFn, images: tf.Tensor, labels: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """What stands between the images and a success.

        Args:
            logits_of: Function from images to logits (B, K).
            images: Images (B, H, W, C).
            labels: One-hot labels (B, K).

        Returns:
            The gradient of the lead, (B, H, W, C); the lead, (B,), which is
            z_y - max_{j != y} z_j or, if targeted, the same with the other
            sign; and whether the images are a success, (B,).
        """

        def lead(logits: tf.Tensor) -> tf.Tensor:
            ahead = losses.margin(labels, logits)
            return -ahead if self.targeted else ahead

        gradient, ahead, logits = of_images(logits_of, images, lead)
        success = succeeds(logits, labels, self.targeted)
        return gradient, tf.cast(ahead, images.dtype), success
