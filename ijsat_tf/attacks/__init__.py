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
from ijsat_tf.attacks.fab import FAB
from ijsat_tf.attacks.jsa import JointSpaceAttack
from ijsat_tf.attacks.lagrange import (
    FastLagrangePerceptual,
    LagrangePerceptual,
)
from ijsat_tf.attacks.names import by_name
from ijsat_tf.attacks.perceptual_pgd import PerceptualPGD
from ijsat_tf.attacks.pgd import FGSM, PGD, MomentumPGD, OnManifoldPGD
from ijsat_tf.attacks.square import Square
from ijsat_tf.attacks.worst_of import WorstOf
from ijsat_tf.attacks.unseen import JPEG, Elastic, Fog, Gabor, Snow

__all__ = [
    "APGD",
    "Ascent",
    "Attack",
    "AttackResult",
    "AutoAttack",
    "FAB",
    "FGSM",
    "FastLagrangePerceptual",
    "Elastic",
    "FGSM",
    "Fog",
    "Gabor",
    "JPEG",
    "JointSpaceAttack",
    "LagrangePerceptual",
    "MomentumPGD",
    "OnManifoldPGD",
    "PGD",
    "Square",
    "Verdict",
    "PerceptualPGD",
    "WorstOf",
    "Snow",
    "as_logits",
    "by_name",
    "jsa",
    "require_untargeted",
]
