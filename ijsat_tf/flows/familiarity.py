"""How well a flow knows the images that are given to it."""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from ijsat_tf.types import Tensor

# The card of `glow_cifar10_small` tells of less than 0.01 between training and
# test images of one set.
_TOLERANCE = 0.5


class Familiarity(NamedTuple):
    """Bits/dim of images, beside those of the images a flow was fitted to.

    Attributes:
        here: Mean bits/dim of the images at hand.
        fitted: `Glow.fitted_bits_per_dim`.
    """

    here: float
    fitted: float

    @property
    def passed(self) -> bool:
        """Whether the two differ by at most 0.5 bits/dim."""
        return abs(self.here - self.fitted) <= _TOLERANCE

    def __str__(self) -> str:
        text = (
            f"{self.here:.1f} bits/dim here, {self.fitted:.1f} where the "
            "flow was trained"
        )
        if not self.passed:
            text += ": its latent radius means little here"
        return text


def familiarity(
    flow: Any, images: Tensor, examples: int = 200
) -> Familiarity | None:
    """Compares images with those that a flow was fitted to.

    A latent radius is measured in a flow's own units. On images that the flow
    does not know, the same radius changes far more.

    Args:
        flow: `Glow`, or another generator.
        images: (B, H, W, C) in [0, 1], on the grid of grey levels.
        examples: Number of images that are looked at, the first ones, default
            200.

    Returns:
        The bits/dim of both, or None for a generator that keeps none: a GAN,
        or a flow that was saved before flows kept their bits/dim.
    """
    fitted = getattr(flow, "fitted_bits_per_dim", None)
    if fitted is None:
        return None
    bits = flow.bits_per_dim(images[:examples])
    return Familiarity(float(tf.reduce_mean(bits)), fitted)
