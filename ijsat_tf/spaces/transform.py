"""What the spaces of image transforms share: a budget, and a step."""

from __future__ import annotations

import dataclasses
import math

import tensorflow as tf

from ijsat_tf import checks
from ijsat_tf.spaces.space import Space
from ijsat_tf.types import Tensors, value


@value
class Transform(Space):
    """Images that a transform of some strength makes of the given ones.

    Args:
        budget: the strength, in the transform's own unit; not negative.
        step: length of a step, in the unit of what changes; None, the
            default, for `reach / sqrt(steps)`.
        reference: whether to repeat what the original code does where that
            is a slip, default False; each transform says what it is.

    Raises:
        ValueError: for a budget or a step that is negative or no number.

    Source: Kang et al., Testing Robustness Against Unforeseen Adversaries,
    2019, whose code is github.com/ddkang/advex-uar.
    """

    budget: float
    step: float | None = None
    reference: bool = False

    def __post_init__(self):
        super().__post_init__()
        for name in ("budget", "step"):
            given = getattr(self, name)
            if given is not None or name == "budget":
                checks.not_negative(name, given)
                object.__setattr__(self, name, float(given))

    @property
    def reach(self) -> float:
        """How far a search of one step goes."""
        return self.budget

    def with_steps(self, steps: int) -> Transform:
        if self.step is not None:
            return self
        return dataclasses.replace(self, step=self.reach / math.sqrt(steps))


@value
class Pattern(Transform):
    """A pattern laid over the image, `budget` times as strong as its unit.

    What changes is the pattern's shape, between fixed bounds; the default
    step is the original's 0.002236 where there are 200. There is no pattern
    that changes nothing: a search that does not start at random starts from
    the draws of a fixed seed. Its name in a result's budget stands for the
    budget itself, the same for every image.
    """

    @property
    def reach(self) -> float:
        return math.sqrt(0.001)

    def measure(self, change: Tensors) -> dict[str, tf.Tensor]:
        first = tf.nest.flatten(change)[0]
        count = tf.shape(first)[:1]
        return {self.name: tf.fill(count, tf.cast(self.budget, first.dtype))}


def image_shape(images: tf.Tensor) -> tuple[int, int, int]:
    """(H, W, C), which a transform must know before any image is there.

    Raises:
        ValueError: for a side or a number of channels that is unknown.
    """
    shape = tuple(images.shape[1:])
    checks.require(
        None not in shape,
        "The images' height, width and channels must be known when the graph "
        "is made; give them in the function's input signature.",
        f"shape {tuple(images.shape)}",
    )
    return shape
