"""The base classes of image transforms, with a budget and a step."""

from __future__ import annotations

import dataclasses
import math

import tensorflow as tf

from ijsat_tf import checks
from ijsat_tf.spaces.space import Space
from ijsat_tf.types import Tensors, value


@value
class Transform(Space):
    """The images that a transform of limited strength makes.

    Args:
        budget: Strength in the transform's own unit, not negative.
        step: Length of a step in the unit of the change; None, the default,
            stands for `reach / sqrt(steps)`.

    Raises:
        ValueError: for a budget or a step that is negative or not a number.
    """

    budget: float
    step: float | None = None

    def __post_init__(self):
        super().__post_init__()
        for name in ("budget", "step"):
            given = getattr(self, name)
            if given is not None or name == "budget":
                checks.not_negative(name, given)
                object.__setattr__(self, name, float(given))

    @property
    def reach(self) -> float:
        """The length of the step in a search of one step."""
        return self.budget

    @property
    def radii(self) -> dict[str, float]:
        return {self.name: self.budget}

    def with_steps(self, steps: int) -> Transform:
        if self.step is not None:
            return self
        return dataclasses.replace(self, step=self.reach / math.sqrt(steps))


@value
class Unforeseen(Transform):
    """A transform of the unforeseen attacks, whose original code has mistakes.

    Args:
        budget: Strength in the transform's own unit, not negative.
        step: Length of a step in the unit of the change; None, the default,
            stands for `reach / sqrt(steps)`.
        reference: Whether to repeat mistakes of the original code, default
            False; each transform describes the mistakes.

    Source: Kang et al., Testing Robustness Against Unforeseen Adversaries,
    2019, whose code is github.com/ddkang/advex-uar.
    """

    reference: bool = False


@value
class Pattern(Unforeseen):
    """A pattern laid over the image, with a strength of `budget`.

    The attack changes the shape of the pattern, within fixed bounds. The
    default step is the original's 0.002236 for a search of 200 steps. No
    pattern leaves the image unchanged, so a search that does not start at
    random starts from the draws of a fixed seed. The entry in a result's
    budget is `budget` itself, the same for every image.
    """

    @property
    def reach(self) -> float:
        return math.sqrt(0.001)

    def measure(self, change: Tensors) -> dict[str, tf.Tensor]:
        first = tf.nest.flatten(change)[0]
        count = tf.shape(first)[:1]
        return {self.name: tf.fill(count, tf.cast(self.budget, first.dtype))}


def image_shape(images: tf.Tensor) -> tuple[int, int, int]:
    """The shape (H, W, C), which must be known when the graph is made.

    Args:
        images: Images (B, H, W, C).

    Raises:
        ValueError: for an unknown height, width or number of channels.
    """
    shape = tuple(images.shape[1:])
    checks.require(
        None not in shape,
        "The height, width and channels of `images` must be known when the "
        "graph is made; give the shape (None, H, W, C) in the "
        "`input_signature` of your tf.function.",
        f"shape {tuple(images.shape)}",
    )
    return shape
