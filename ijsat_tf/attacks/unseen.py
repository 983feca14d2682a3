"""The unforeseen attacks, none of which is used in training.

Each attack is the search `Ascent` in a space of its own; `ijsat_tf.spaces`
describes the spaces. `reference=True` repeats mistakes of the original code.
The attacks start at random and lead away from the label. The original's
evaluation leads to a random wrong class instead; for that, use `targeted=True`
with such classes as labels. The unforeseen L2 attack is `PGD` with a ball `L2`.

Source: Kang et al., Testing Robustness Against Unforeseen Adversaries, 2019,
whose code is github.com/ddkang/advex-uar.
"""

from __future__ import annotations

from ijsat_tf import spaces
from ijsat_tf.attacks.transforms import TransformAttack
from ijsat_tf.types import value


@value
class Unseen(TransformAttack):
    """The base class of the unforeseen attacks.

    Args:
        budget: Strength of the change, in the transform's own unit.
        step: Length of a step; None, the default, stands for the default
            step of the space.
        steps: Number of updates, default 200.
        targeted: Whether labels are target classes, default False.
        reference: Whether to repeat the original's mistakes, default False.
    """

    steps: int = 200
    reference: bool = False


@value
class Elastic(Unseen):
    """Elastic deformation of the image, see `spaces.Elastic`.

    Args:
        budget: Largest displacement in pixels, e.g. 0.5.
        step: Length of a step in pixels; None, the default, stands for
            budget / sqrt(steps).
        steps: Number of updates, default 200.
        targeted: Whether labels are target classes, default False.
        reference: Whether to use the original's sampling grid, which shrinks
            the image; default False.
        kernel: Side in pixels of the Gaussian that smooths displacements, odd;
            None, the default, cuts the Gaussian at 4 standard deviations.
        std: Standard deviation of the Gaussian in pixels; None, the default,
            stands for 3 at an image side of 224, and in proportion.

    Raises:
        ValueError: for settings out of range.
    """

    kernel: int | None = None
    std: float | None = None

    @property
    def space(self) -> spaces.Elastic:
        return spaces.Elastic(
            self.budget, self.step, self.reference, self.kernel, self.std
        )


@value
class JPEG(Unseen):
    """Change of the image's JPEG coefficients, see `spaces.JPEG`.

    Args:
        budget: Norm of the coefficients' changes, in half steps of
            quantisation, e.g. 0.25 for "linf", 2 for "l2", 64 for "l1".
        step: Length of a step, in half steps of quantisation; None, the
            default, stands for budget / sqrt(steps). "l1" takes no step.
        steps: Number of updates, default 200.
        targeted: Whether labels are target classes, default False.
        reference: Whether to use the original's first gradient and l1 search,
            default False.
        norm: Norm of the changes, "linf", "l2" or "l1"; default "linf".

    Raises:
        ValueError: for settings out of range, or an l1 search with a step.
    """

    norm: str = "linf"

    @property
    def space(self) -> spaces.JPEG:
        return spaces.JPEG(self.budget, self.step, self.reference, self.norm)


@value
class Fog(Unseen):
    """Fog over the image, see `spaces.Fog`.

    Args:
        budget: Density of the fog, in grey levels of 255, e.g. 128.
        step: Length of a step of the map's random parts in [0, 1]; None, the
            default, stands for 0.0316 / sqrt(steps).
        steps: Number of updates, default 200.
        targeted: Whether labels are target classes, default False.
        reference: Whether to use the original's map, scaled over the whole
            batch; default False.
        map_size: Side of the map, a power of 2; None, the default, stands for
            the first power larger than the image's longer side.

    Raises:
        ValueError: for settings out of range; when called, for a map smaller
            than the image.
    """

    map_size: int | None = None

    @property
    def space(self) -> spaces.Fog:
        return spaces.Fog(self.budget, self.step, self.reference, self.map_size)


@value
class Snow(Unseen):
    """Falling snowflakes over a whitened image, see `spaces.Snow`.

    Args:
        budget: Brightness of the brightest flake in [0, 1], e.g. 0.0625.
        step: Length of a step of the flakes' intensities in [0, 1]; None, the
            default, stands for 0.0316 / sqrt(steps).
        steps: Number of updates, default 200.
        targeted: Whether labels are target classes, default False.
        reference: Whether to use the original's kernels, one draw for a whole
            batch, and its order of projection; default False.

    Raises:
        ValueError: for settings out of range.
    """

    @property
    def space(self) -> spaces.Snow:
        return spaces.Snow(self.budget, self.step, self.reference)


@value
class Gabor(Unseen):
    """Gabor noise, ripples around random spikes, see `spaces.Gabor`.

    Args:
        budget: Largest noise, in grey levels of 255, e.g. 12.5.
        step: Length of a step of the spikes' heights in [-1, 1]; None, the
            default, stands for 0.0316 / sqrt(steps).
        steps: Number of updates, default 200.
        targeted: Whether labels are target classes, default False.
        reference: Whether to use the original's mask, which lets all pixels
            but the spikes change; default False.

    Raises:
        ValueError: for settings out of range.
    """

    @property
    def space(self) -> spaces.Gabor:
        return spaces.Gabor(self.budget, self.step, self.reference)
