"""Spaces: what may change in a sample, and how much."""

from ijsat_tf.spaces.balls import L2, Ball, Linf
from ijsat_tf.spaces.joint import Joint
from ijsat_tf.spaces.latent import Latent
from ijsat_tf.spaces.pixels import Pixels, as_space
from ijsat_tf.spaces.space import Space

__all__ = [
    "Ball",
    "Joint",
    "L2",
    "Latent",
    "Linf",
    "Pixels",
    "Space",
    "as_space",
]
