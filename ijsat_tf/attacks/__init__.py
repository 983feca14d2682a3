"""Attacks: searches in a space for the images that a model gets wrong."""

from ijsat_tf.attacks import jsa
from ijsat_tf.attacks.apgd import APGD
from ijsat_tf.attacks.ascent import Ascent
from ijsat_tf.attacks.attack import (
    Attack,
    AttackResult,
    as_logits,
    require_untargeted,
)
from ijsat_tf.attacks.autoattack import AutoAttack, Verdict
from ijsat_tf.attacks.budgets import BUDGETS
from ijsat_tf.attacks.fab import FAB
from ijsat_tf.attacks.jsa import JointSpaceAttack
from ijsat_tf.attacks.lagrange import (
    FastLagrangePerceptual,
    LagrangePerceptual,
)
from ijsat_tf.attacks.names import by_name, expand
from ijsat_tf.attacks.perceptual_pgd import PerceptualPGD
from ijsat_tf.attacks.pgd import FGSM, PGD, MomentumPGD, OnManifoldPGD
from ijsat_tf.attacks.square import Square
from ijsat_tf.attacks.unseen import JPEG, Elastic, Fog, Gabor, Snow
from ijsat_tf.attacks.worst_of import WorstOf

__all__ = [
    "APGD",
    "Ascent",
    "Attack",
    "AttackResult",
    "AutoAttack",
    "BUDGETS",
    "Elastic",
    "FAB",
    "FGSM",
    "FastLagrangePerceptual",
    "Fog",
    "Gabor",
    "JPEG",
    "JointSpaceAttack",
    "LagrangePerceptual",
    "MomentumPGD",
    "OnManifoldPGD",
    "PGD",
    "PerceptualPGD",
    "Snow",
    "Square",
    "Verdict",
    "WorstOf",
    "as_logits",
    "by_name",
    "expand",
    "jsa",
    "require_untargeted",
]
