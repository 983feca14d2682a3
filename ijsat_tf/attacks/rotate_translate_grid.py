"""The worst of a grid of rotations and translations."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from ijsat_tf import losses
from ijsat_tf.attacks.attack import Attack, AttackResult
from ijsat_tf.attacks.outcome import better, succeeds
from ijsat_tf.rows import pick
from ijsat_tf.spaces import RotateTranslate
from ijsat_tf.types import LogitsFn, Tensors, value


@value
class RotateTranslateGrid(Attack):
    """The worst of an image and of all rotations and translations of a grid.

    The grid has `rotations * translations^2` points, equally spaced from
    -rotation to rotation and from -translation to translation, with the bounds
    in the grid. Per sample the result is a success if any point is a success,
    and has the highest loss (the lowest, if targeted) of the successes, else of
    all points. The search uses neither gradients nor random numbers.

    Args:
        rotation: Largest angle, in degrees, e.g. 30.
        translation: Largest number of pixels along each axis, e.g. 3.
        rotations: Number of angles, default 31.
        translations: Number of translations along each axis, default 5.
        targeted: Whether labels are target classes, default False.

    Raises:
        ValueError: for settings out of range.

    Source: Engstrom et al., Exploring the Landscape of Spatial Robustness,
    2019, whose grid has these numbers.
    """

    rotation: float
    translation: float
    rotations: int = 31
    translations: int = 5
    targeted: bool = False
    counts = "rotations", "translations"

    def __post_init__(self):
        super().__post_init__()
        _ = self.radii  # Making the space refuses wrong settings at once.

    @property
    def radii(self) -> dict[str, float]:
        return RotateTranslate(self.rotation, self.translation).radii

    def craft(
        self,
        logits_of: LogitsFn,
        images: tf.Tensor,
        labels: tf.Tensor,
        seed: tf.Tensor,
        latents: Tensors | None = None,
    ) -> AttackResult:
        space = RotateTranslate(self.rotation, self.translation)
        still = space.prepare(images, latents)
        grid = self._grid()
        changes = tf.constant(grid, still.dtype)

        def judged(change: tf.Tensor) -> AttackResult:
            found = space.apply(images, change, still)
            # Sums of the bilinear weights round.
            found = tf.clip_by_value(found, 0.0, 1.0)
            logits = logits_of(found)
            success = succeeds(logits, labels, self.targeted)
            return AttackResult(
                found,
                success,
                losses.cross_entropy(labels, logits),
                space.measure(change),
                tf.zeros_like(success),
            )

        def improve(
            number: tf.Tensor, best: AttackResult
        ) -> tuple[tf.Tensor, AttackResult]:
            found = judged(still + changes[number])
            take = better(found, best, self.targeted)
            return number + 1, pick(take, found, best)

        _, best = tf.while_loop(
            lambda number, _: number < len(grid),
            improve,
            (0, judged(still)),
            parallel_iterations=1,
            maximum_iterations=len(grid),
        )
        return best

    def _grid(self) -> np.ndarray:
        """The changes of the grid, (N, 3), as shares of the bounds."""
        axes = [
            np.linspace(-1, 1, count) if count > 1 else np.zeros(1)
            for count in (self.rotations, self.translations, self.translations)
        ]
        return np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 3)
