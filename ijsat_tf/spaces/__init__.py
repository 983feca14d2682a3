"""Spaces: the changes that an attack may make to an image."""

from ijsat_tf.spaces.adam_latent import AdamLatent
from ijsat_tf.spaces.balls import L2, Ball, Linf
from ijsat_tf.spaces.elastic import Elastic
from ijsat_tf.spaces.fog import Fog
from ijsat_tf.spaces.gabor import Gabor
from ijsat_tf.spaces.joint import Joint
from ijsat_tf.spaces.jpeg import JPEG
from ijsat_tf.spaces.l1 import L1
from ijsat_tf.spaces.latent import Latent
from ijsat_tf.spaces.pixels import Pixels, as_space
from ijsat_tf.spaces.reach import Reach, reach
from ijsat_tf.spaces.recolor import ReColor
from ijsat_tf.spaces.rotate_translate import RotateTranslate
from ijsat_tf.spaces.snow import Snow
from ijsat_tf.spaces.space import Space
from ijsat_tf.spaces.stadv import StAdv

__all__ = [
    "AdamLatent",
    "Ball",
    "Elastic",
    "Fog",
    "Gabor",
    "JPEG",
    "Joint",
    "L1",
    "L2",
    "Latent",
    "Linf",
    "Pixels",
    "ReColor",
    "Reach",
    "RotateTranslate",
    "Snow",
    "Space",
    "StAdv",
    "as_space",
    "reach",
]
