"""Attacks within a perceptual distance, such as LPIPS."""

from ijsat_tf.attacks.perceptual.lagrange import (
    FastLagrangePerceptual,
    LagrangePerceptual,
)
from ijsat_tf.attacks.perceptual.perceptual_pgd import PerceptualPGD

__all__ = ["FastLagrangePerceptual", "LagrangePerceptual", "PerceptualPGD"]
