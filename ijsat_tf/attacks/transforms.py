"""Attacks by flows, colours, rotations and translations.

Each attack is the search `Ascent` in a space of its own; `ijsat_tf.spaces`
describes the spaces and names their sources.
"""

from __future__ import annotations

import tensorflow as tf

from ijsat_tf import losses, spaces
from ijsat_tf.attacks.ascent import SpaceAttack
from ijsat_tf.types import value


@value
class TransformAttack(SpaceAttack):
    """The base class of attacks in a space of image transforms.

    Args:
        budget: Strength of the change, in the transform's own unit.
        step: Length of a step; None, the default, stands for the default
            step of the space.
        steps: Number of updates, default 100.
        targeted: Whether labels are target classes, default False.
    """

    budget: float
    step: float | None = None
    steps: int = 100
    targeted: bool = False


@value
class FieldAttack(TransformAttack):
    """The base class of attacks in a space of smooth fields.

    The search starts at the image and maximises max_{j != y} z_j - z_y, as
    the search of the source does. For soft labels the heaviest class is y.
    """

    random_start = False

    def objective(self, labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        return -losses.margin(labels, logits)


@value
class StAdv(FieldAttack):
    """Small displacements of pixels by a smooth flow, see `spaces.StAdv`.

    The search starts at the image and maximises the lead of another class, as
    the search of the source does.

    Args:
        budget: Largest displacement, as a share of half the image's side, e.g.
            0.05.
        step: Learning rate of Adam, in the unit of the budget; None, the
            default, stands for 2 * budget / sqrt(steps).
        steps: Number of updates, default 100.
        targeted: Whether labels are target classes, default False.
        smoothness: Weight of the flow's total variation in logits, default
            0.0025.

    Raises:
        ValueError: for settings out of range.
    """

    smoothness: float = 0.0025

    @property
    def space(self) -> spaces.StAdv:
        return spaces.StAdv(self.budget, self.step, self.smoothness)


@value
class ReColor(FieldAttack):
    """One smooth change of colours for the whole image, see `spaces.ReColor`.

    The search starts at the image and maximises the lead of another class, as
    the search of the source does.

    Args:
        budget: Largest displacement of each coordinate of a colour, whose
            coordinates are scaled to about [0, 1], e.g. 0.06.
        step: Learning rate of Adam, in the unit of the budget; None, the
            default, stands for budget / (6 sqrt(steps)).
        steps: Number of updates, default 100.
        targeted: Whether labels are target classes, default False.
        smoothness: Weight of the total variation in logits, default 0.0036.
        resolution: Number of grid points along each axis of colours, default
            (16, 32, 32).

    Raises:
        ValueError: for settings out of range; when called, for images of more
            than three channels.
    """

    smoothness: float = 0.0036
    resolution: tuple[int, ...] = (16, 32, 32)

    @property
    def space(self) -> spaces.ReColor:
        return spaces.ReColor(
            self.budget, self.step, self.smoothness, self.resolution
        )


@value
class RotateTranslate(SpaceAttack):
    """Rotation and translation along gradients, see `spaces.RotateTranslate`.

    Args:
        rotation: Largest angle, in degrees, e.g. 30.
        translation: Largest number of pixels along each axis, e.g. 3.
        step: Length of a step, as a share of the bounds; None, the default,
            stands for 2.5 / steps.
        steps: Number of updates, default 10.
        restarts: Number of searches from different starts, see `PGD`; default
            1.
        targeted: Whether labels are target classes, default False.

    Raises:
        ValueError: for settings out of range.
    """

    rotation: float
    translation: float
    step: float | None = None
    steps: int = 10
    restarts: int = 1
    targeted: bool = False

    @property
    def space(self) -> spaces.RotateTranslate:
        return spaces.RotateTranslate(
            self.rotation, self.translation, self.step
        )
