"""Comparison of given images with the images that a flow was fitted to."""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from ijsat_tf.types import Tensor

# The card of `glow_cifar10_small` reports a difference below 0.01 between
# training and test images of one set.
_TOLERANCE = 0.5


class Familiarity(NamedTuple):
    """Bits/dim of given images and of the images a flow was fitted to.

    Attributes:
        here: Mean bits/dim of the given images.
        fitted: Mean bits/dim of the images that the flow was fitted to,
            `Glow.fitted_bits_per_dim`.
    """

    here: float
    fitted: float

    @property
    def passed(self) -> bool:
        """Whether the two numbers differ by at most 0.5 bits/dim."""
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
    """Compares images with the images that a flow was fitted to.

    A latent radius is measured in the flow's own units. The same radius
    changes an image far more if the image is unlike the training images.

    Args:
        flow: Flow, a `Glow`, or another generator.
        images: Images (B, H, W, C) in [0, 1], on the grid of grey levels.
        examples: Number of images to evaluate, the first ones, default 200.

    Returns:
        The bits/dim of the given and of the fitted images, or None for a
        generator that keeps no bits/dim: a GAN, or a flow that was saved
        before flows kept their bits/dim.
    """
    fitted = getattr(flow, "fitted_bits_per_dim", None)
    if fitted is None:
        return None
    bits = flow.bits_per_dim(images[:examples])
    return Familiarity(float(tf.reduce_mean(bits)), fitted)
