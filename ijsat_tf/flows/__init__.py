"""Normalizing flows whose weights Keras owns and saves."""

from ijsat_tf.flows.actnorm import ActNorm
from ijsat_tf.flows.conv1x1 import InvertibleConv1x1
from ijsat_tf.flows.coupling import AffineCoupling
from ijsat_tf.flows.familiarity import Familiarity, familiarity
from ijsat_tf.flows.glow import Glow
from ijsat_tf.flows.inversion import inversion_errors
from ijsat_tf.flows.level import Level
from ijsat_tf.flows.likelihood import LikelihoodModel, WarmUp
from ijsat_tf.flows.multiscale import Multiscale
from ijsat_tf.flows.squeeze import Squeeze

__all__ = [
    "ActNorm",
    "AffineCoupling",
    "Familiarity",
    "Glow",
    "InvertibleConv1x1",
    "Level",
    "LikelihoodModel",
    "Multiscale",
    "Squeeze",
    "WarmUp",
    "familiarity",
    "inversion_errors",
]
