"""Methods of training: each defines a mixture, an attack and a loss."""

from ijsat_tf.training.methods.adversarial_la import AdversarialLA
from ijsat_tf.training.methods.advprop import AdvProp
from ijsat_tf.training.methods.at import AT
from ijsat_tf.training.methods.cutout import Cutout
from ijsat_tf.training.methods.dmat import DMAT
from ijsat_tf.training.methods.fast_pat import FastPAT
from ijsat_tf.training.methods.iat import IAT
from ijsat_tf.training.methods.ijsat import IJSAT
from ijsat_tf.training.methods.manifold_mixup import ManifoldMixup
from ijsat_tf.training.methods.mart import MART
from ijsat_tf.training.methods.method import Method, Standard
from ijsat_tf.training.methods.mixup import Mixup
from ijsat_tf.training.methods.randomized_la import RandomizedLA
from ijsat_tf.training.methods.rlat import RLAT
from ijsat_tf.training.methods.trades import TRADES
from ijsat_tf.training.methods.vaegan import VAEGAN

__all__ = [
    "AT",
    "AdvProp",
    "AdversarialLA",
    "Cutout",
    "DMAT",
    "FastPAT",
    "IAT",
    "IJSAT",
    "MART",
    "ManifoldMixup",
    "Method",
    "RLAT",
    "Mixup",
    "RandomizedLA",
    "Standard",
    "TRADES",
    "VAEGAN",
]
