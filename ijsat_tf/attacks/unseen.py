"""The unforeseen attacks: none of them was seen in training.

Each is the one search in a space of its own; `ijsat_tf.spaces` describes
them, and `reference=True` repeats what the original code does where that is
a slip. They start at random and lead away from the label; the original's
evaluation leads to a random wrong class instead, which `targeted=True` does
with such classes as labels. The L2 attack among them is `PGD` with a ball
`L2`.

Source: Kang et al., Testing Robustness Against Unforeseen Adversaries, 2019,
whose code is github.com/ddkang/advex-uar.
"""

from __future__ import annotations

from ijsat_tf import spaces
from ijsat_tf.attacks.ascent import Ascent
from ijsat_tf.attacks.attack import Attack
from ijsat_tf.spaces import Space
from ijsat_tf.types import value


@value
class Unseen(Attack):
    """The search in a space of image transforms.

    Args:
        budget: in the transform's own unit.
        step: None, the default, for the space's own.
        steps: default 200.
        targeted: whether labels are targets, default False.
        reference: whether to repeat the original's slips, default False.
    """

    budget: float
    step: float | None = None
    steps: int = 200
    targeted: bool = False
    reference: bool = False

    @property
    def space(self) -> Space:
        """The space that is searched."""
        raise NotImplementedError

    @property
    def search(self) -> Ascent:
        return Ascent(self.space, steps=self.steps, targeted=self.targeted)


@value
class Elastic(Unseen):
    """Pixels that move with their neighbours, see `spaces.Elastic`.

    Args:
        budget: in pixels, e.g. 0.5.
        step: in pixels; None, the default, for budget / sqrt(steps).
        steps: default 200.
        targeted: whether labels are targets, default False.
        reference: the original's sampling grid, which shrinks the image;
            default False.
        kernel: side of the Gaussian that smooths displacements, odd; None,
            the default, cuts it at 4 deviations.
        std: its deviation in pixels; None, the default, for 3 at a side of
            224 and in proportion.
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
    """JPEG's coefficients, see `spaces.JPEG`.

    Args:
        budget: of the coefficients' changes, in half steps of quantisation,
            e.g. 0.25 for "linf", 2 for "l2", 64 for "l1".
        step: None, the default, for budget / sqrt(steps); "l1" has none.
        steps: default 200.
        targeted: whether labels are targets, default False.
        reference: the original's first gradient and l1 search, default
            False.
        norm: "linf", the default, "l2" or "l1".
    """

    norm: str = "linf"

    @property
    def space(self) -> spaces.JPEG:
        return spaces.JPEG(self.budget, self.step, self.reference, self.norm)


@value
class Fog(Unseen):
    """A map of fog between image and eye, see `spaces.Fog`.

    Args:
        budget: the fog's density, in grey levels of 255, e.g. 128.
        step: of the map's random parts in [0, 1]; None, the default, for
            0.0316 / sqrt(steps).
        steps: default 200.
        targeted: whether labels are targets, default False.
        reference: the original's map, scaled over the whole batch; default
            False.
        map_size: the map's side, a power of 2; None, the default, for the
            first that is larger than the image's longer side.
    """

    map_size: int | None = None

    @property
    def space(self) -> spaces.Fog:
        return spaces.Fog(self.budget, self.step, self.reference, self.map_size)


@value
class Snow(Unseen):
    """Falling flakes over a whitened image, see `spaces.Snow`.

    Args:
        budget: the brightness of the brightest flake in [0, 1], e.g. 0.0625.
        step: of the flakes' intensities in [0, 1]; None, the default, for
            0.0316 / sqrt(steps).
        steps: default 200.
        targeted: whether labels are targets, default False.
        reference: the original's kernels, one draw for a whole batch, and
            its order of projection; default False.
    """

    @property
    def space(self) -> spaces.Snow:
        return spaces.Snow(self.budget, self.step, self.reference)


@value
class Gabor(Unseen):
    """Ripples that spread from spikes, see `spaces.Gabor`.

    Args:
        budget: the strongest noise, in grey levels of 255, e.g. 12.5.
        step: of the spikes' heights in [-1, 1]; None, the default, for
            0.0316 / sqrt(steps).
        steps: default 200.
        targeted: whether labels are targets, default False.
        reference: the original's mask, which lets all but the spikes change;
            default False.
    """

    @property
    def space(self) -> spaces.Gabor:
        return spaces.Gabor(self.budget, self.step, self.reference)
