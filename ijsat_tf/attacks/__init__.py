"""Attacks: searches for changed images that a model misclassifies."""

from ijsat_tf.attacks import jsa
from ijsat_tf.attacks.ascent import Ascent, SpaceAttack
from ijsat_tf.attacks.attack import (
    Attack,
    AttackResult,
    as_logits,
    require_untargeted,
)
from ijsat_tf.attacks.autoattack import (
    APGD,
    FAB,
    AutoAttack,
    Square,
    Verdict,
)
from ijsat_tf.attacks.ball_attack import BallAttack
from ijsat_tf.attacks.budgets import BUDGETS
from ijsat_tf.attacks.by_name import by_name, expand
from ijsat_tf.attacks.foreign import foreign
from ijsat_tf.attacks.jsa import JointSpaceAttack
from ijsat_tf.attacks.least_distance import (
    CarliniWagner,
    DeepFool,
    FastMinimumNorm,
    LeastDistance,
)
from ijsat_tf.attacks.perceptual import (
    FastLagrangePerceptual,
    LagrangePerceptual,
    PerceptualPGD,
)
from ijsat_tf.attacks.pgd import FGSM, PGD, MomentumPGD, OnManifoldPGD
from ijsat_tf.attacks.rotate_translate_grid import RotateTranslateGrid
from ijsat_tf.attacks.transforms import ReColor, RotateTranslate, StAdv
from ijsat_tf.attacks.unseen import JPEG, Elastic, Fog, Gabor, Snow
from ijsat_tf.attacks.worst_of import WorstOf

__all__ = [
    "APGD",
    "Ascent",
    "Attack",
    "AttackResult",
    "AutoAttack",
    "BUDGETS",
    "BallAttack",
    "CarliniWagner",
    "DeepFool",
    "Elastic",
    "FAB",
    "FGSM",
    "FastLagrangePerceptual",
    "FastMinimumNorm",
    "Fog",
    "Gabor",
    "JPEG",
    "JointSpaceAttack",
    "LagrangePerceptual",
    "LeastDistance",
    "MomentumPGD",
    "OnManifoldPGD",
    "PGD",
    "PerceptualPGD",
    "ReColor",
    "RotateTranslate",
    "RotateTranslateGrid",
    "Snow",
    "SpaceAttack",
    "Square",
    "StAdv",
    "Verdict",
    "WorstOf",
    "as_logits",
    "by_name",
    "expand",
    "foreign",
    "jsa",
    "require_untargeted",
]
