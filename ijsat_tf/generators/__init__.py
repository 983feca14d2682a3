"""GANs, and projections of images onto the manifold of a GAN."""

from ijsat_tf.generators.augmented import Augmented
from ijsat_tf.generators.on_manifold import project_dataset
from ijsat_tf.generators.projection import Projected, Projection
from ijsat_tf.generators.sngan import SNGAN
from ijsat_tf.generators.spectral_norm import SpectralConv2D
from ijsat_tf.generators.stylegan import StyleGAN
from ijsat_tf.generators.vaegan import VAEGAN

__all__ = [
    "Augmented",
    "Projected",
    "Projection",
    "SNGAN",
    "SpectralConv2D",
    "StyleGAN",
    "VAEGAN",
    "project_dataset",
]
