"""Everything that is under every promise: one row each.

Rows are functions of a flow, so that all share one that is traced once.
"""

import contextlib
import functools

import keras
import numpy as np
import tensorflow as tf

import ijsat_tf as ij
from tests import tiny

methods = ij.training.methods
BALL = ij.spaces.Linf(0.05, step=0.02)
SPHERE = ij.spaces.L2(0.4, step=0.2)
FEW = ij.spaces.L1(2.0, step=1.0)
LATENT = ij.spaces.Linf(0.1, step=0.05)


@functools.cache
def perceptual_distance():
    network = ij.models.small_cnn(2, width=8, image_shape=tiny.SHAPE)
    return ij.models.PerceptualDistance(network, ["stage1", "stage2"])


@keras.saving.register_keras_serializable("tests")
def brighter(images, labels):
    """An attack of nobody's: other classes get other changes."""
    return np.minimum(images + 0.02 * (1 + labels[:, None, None, None]), 1)


LAYERS = {
    "ActNorm": lambda: ij.flows.ActNorm(),
    "InvertibleConv1x1": lambda: ij.flows.InvertibleConv1x1(),
    "AffineCoupling": lambda: ij.flows.AffineCoupling(8),
    "Level": lambda: ij.flows.Level(steps=1, hidden=8, last=False),
    "Level, last": lambda: ij.flows.Level(steps=1, hidden=8, last=True),
}

SPACES = {
    "Pixels, Linf": lambda flow: ij.spaces.Pixels(BALL),
    "Pixels, L2": lambda flow: ij.spaces.Pixels(SPHERE),
    "Pixels, L1": lambda flow: ij.spaces.Pixels(FEW),
    "Latent, Linf": lambda flow: ij.spaces.Latent(flow, LATENT),
    "Latent, L2": lambda flow: ij.spaces.Latent(flow, SPHERE),
    "Latent, L1": lambda flow: ij.spaces.Latent(flow, FEW),
    "Latent, level 2": lambda flow: ij.spaces.Latent(flow, LATENT, levels=[2]),
    "Latent, standardized": lambda flow: ij.spaces.Latent(
        flow, LATENT, standardized=True
    ),
    "AdamLatent": lambda flow: ij.spaces.AdamLatent(flow, LATENT),
    "AdamLatent, level 1": lambda flow: ij.spaces.AdamLatent(
        flow, LATENT, levels=[1], bound=None
    ),
    "Joint": lambda flow: ij.spaces.Joint(ij.spaces.Latent(flow, LATENT), BALL),
    "Joint of three": lambda flow: ij.spaces.Joint(
        ij.spaces.Latent(flow, LATENT), BALL, SPHERE
    ),
    "Elastic": lambda flow: ij.spaces.Elastic(0.5, kernel=3, std=0.5),
    "JPEG": lambda flow: ij.spaces.JPEG(0.5),
    "JPEG, L1": lambda flow: ij.spaces.JPEG(20.0, norm="l1"),
    "JPEG, L2": lambda flow: ij.spaces.JPEG(4.0, norm="l2"),
    "Fog": lambda flow: ij.spaces.Fog(100.0),
    "Snow": lambda flow: ij.spaces.Snow(0.2),
    "Gabor": lambda flow: ij.spaces.Gabor(25.0),
    "StAdv": lambda flow: ij.spaces.StAdv(0.2),
    "ReColor": lambda flow: ij.spaces.ReColor(0.1, resolution=(4, 5, 5)),
    "RotateTranslate": lambda flow: ij.spaces.RotateTranslate(30.0, 2.0),
    "Joint(StAdv, ReColor, Linf)": lambda flow: ij.spaces.Joint(
        ij.spaces.StAdv(0.2),
        ij.spaces.ReColor(0.1, resolution=(4, 5, 5)),
        BALL,
    ),
    "Joint with Elastic": lambda flow: ij.spaces.Joint(
        ij.spaces.Latent(flow, LATENT), ij.spaces.Elastic(0.5, step=0.2), BALL
    ),
}

ATTACKS = {
    "FGSM": lambda flow: ij.attacks.FGSM(BALL),
    "PGD": lambda flow: ij.attacks.PGD(BALL, steps=3),
    "PGD, L2": lambda flow: ij.attacks.PGD(SPHERE, steps=3),
    "PGD, restarts": lambda flow: ij.attacks.PGD(BALL, 2, restarts=2),
    "PGD, targeted": lambda flow: ij.attacks.PGD(BALL, 3, targeted=True),
    "MomentumPGD": lambda flow: ij.attacks.MomentumPGD(BALL, steps=3),
    "OnManifoldPGD": lambda flow: ij.attacks.OnManifoldPGD(
        flow, LATENT, steps=2
    ),
    "APGD": lambda flow: ij.attacks.APGD(BALL, steps=5),
    "APGD, L2": lambda flow: ij.attacks.APGD(SPHERE, steps=5, restarts=2),
    "APGD, L1": lambda flow: ij.attacks.APGD(FEW, steps=5),
    "APGD, L1, larger radii": lambda flow: ij.attacks.APGD(
        FEW, steps=5, restarts=2, larger_radii=True
    ),
    "APGD, dlr": lambda flow: ij.attacks.APGD(BALL, "dlr", steps=5),
    "JointSpaceAttack": lambda flow: ij.attacks.JointSpaceAttack(
        flow, pixels=BALL, latent=LATENT, steps=2
    ),
    "JointSpaceAttack, level 1": lambda flow: ij.attacks.JointSpaceAttack(
        flow, pixels=BALL, latent=LATENT, steps=2, levels=[1]
    ),
    "FAB": lambda flow: ij.attacks.FAB(BALL, steps=3),
    "FAB, L2, untargeted": lambda flow: ij.attacks.FAB(
        SPHERE, targeted=False, steps=3, restarts=2
    ),
    "FAB, L1": lambda flow: ij.attacks.FAB(FEW, steps=3, restarts=2),
    "Square": lambda flow: ij.attacks.Square(BALL, queries=20),
    "Square, L2": lambda flow: ij.attacks.Square(
        SPHERE, queries=20, restarts=2
    ),
    "Square, L1": lambda flow: ij.attacks.Square(FEW, queries=20),
    "CarliniWagner": lambda flow: ij.attacks.CarliniWagner(
        steps=3, binary_search_steps=2, learning_rate=0.1, initial_constant=1.0
    ),
    "DeepFool": lambda flow: ij.attacks.DeepFool(steps=3),
    "DeepFool, Linf": lambda flow: ij.attacks.DeepFool("linf", steps=3),
    "FastMinimumNorm": lambda flow: ij.attacks.FastMinimumNorm(steps=5),
    "FastMinimumNorm, L1": lambda flow: ij.attacks.FastMinimumNorm(
        "l1", steps=5
    ),
    "FastMinimumNorm, Linf, targeted": lambda flow: ij.attacks.FastMinimumNorm(
        "linf", steps=5, targeted=True
    ),
    "foreign": lambda flow: ij.attacks.foreign(brighter, name="brighter"),
    "FastLagrangePerceptual": lambda flow: ij.attacks.FastLagrangePerceptual(
        0.3, steps=3
    ),
    "LagrangePerceptual": lambda flow: ij.attacks.LagrangePerceptual(
        0.3, steps=2, rounds=2
    ),
    "PerceptualPGD": lambda flow: ij.attacks.PerceptualPGD(0.3, steps=2),
    "PerceptualPGD, another network": lambda flow: ij.attacks.PerceptualPGD(
        0.3, perceptual_distance(), steps=2
    ),
    "WorstOf": lambda flow: ij.attacks.WorstOf(
        [
            ij.attacks.PGD(BALL, steps=2),
            ij.attacks.FastLagrangePerceptual(0.3, steps=2),
            ij.attacks.OnManifoldPGD(flow, LATENT, steps=2),
        ]
    ),
    "Elastic, reference": lambda flow: ij.attacks.Elastic(
        0.5, steps=2, reference=True
    ),
    "JPEG, reference": lambda flow: ij.attacks.JPEG(
        0.5, steps=2, reference=True
    ),
    "Fog, reference": lambda flow: ij.attacks.Fog(
        100.0, steps=2, reference=True
    ),
    "Snow, reference": lambda flow: ij.attacks.Snow(
        0.2, steps=2, reference=True
    ),
    "Gabor, reference": lambda flow: ij.attacks.Gabor(
        25.0, steps=2, reference=True
    ),
    "StAdv, from the image": lambda flow: ij.attacks.StAdv(0.2, steps=2),
    "ReColor, from the image": lambda flow: ij.attacks.ReColor(
        0.1, steps=2, resolution=(4, 5, 5)
    ),
    "RotateTranslate": lambda flow: ij.attacks.RotateTranslate(
        30.0, 2.0, steps=2
    ),
    "RotateTranslateGrid": lambda flow: ij.attacks.RotateTranslateGrid(
        30.0, 2.0, rotations=3, translations=3
    ),
    **{
        f"Ascent in {name}": lambda flow, space=space: ij.attacks.Ascent(
            space(flow), steps=2
        )
        for name, space in SPACES.items()
    },
}

METHODS = {
    "Standard": lambda flow: methods.Standard(),
    "Mixup": lambda flow: methods.Mixup(),
    "ManifoldMixup": lambda flow: methods.ManifoldMixup(layers=["stage1"]),
    "Cutout": lambda flow: methods.Cutout(length=4, fill=0.5),
    "RandomizedLA": lambda flow: methods.RandomizedLA(flow, radius=2.0),
    "AdversarialLA": lambda flow: methods.AdversarialLA(flow, steps=2),
    "AT": lambda flow: methods.AT(ATTACKS["PGD"](flow)),
    "AT with JSA": lambda flow: methods.AT(ATTACKS["JointSpaceAttack"](flow)),
    "AT with WorstOf": lambda flow: methods.AT(ATTACKS["WorstOf"](flow)),
    "AT with FastLagrangePerceptual": lambda flow: methods.AT(
        ATTACKS["FastLagrangePerceptual"](flow)
    ),
    "TRADES": lambda flow: methods.TRADES(ATTACKS["PGD"](flow)),
    "TRADES with JSA": lambda flow: methods.TRADES(
        ATTACKS["JointSpaceAttack"](flow), beta=1.0
    ),
    "MART": lambda flow: methods.MART(ATTACKS["PGD"](flow)),
    "MART with JSA": lambda flow: methods.MART(
        ATTACKS["JointSpaceAttack"](flow)
    ),
    "IAT": lambda flow: methods.IAT(ATTACKS["PGD"](flow), tau=1.0),
    "IAT, manifold": lambda flow: methods.IAT(
        ATTACKS["PGD"](flow), tau=1.0, mix="manifold", layers=["stage1"]
    ),
    "AT with JSA, then mixup": lambda flow: methods.IAT(
        ATTACKS["JointSpaceAttack"](flow), tau=1.0, clean=0.0
    ),
    "DMAT": lambda flow: methods.DMAT(
        ATTACKS["PGD"](flow), ATTACKS["OnManifoldPGD"](flow)
    ),
    "DMAT with JSA": lambda flow: methods.DMAT(
        ATTACKS["PGD"](flow), ATTACKS["JointSpaceAttack"](flow)
    ),
    "FastPAT": lambda flow: methods.FastPAT(0.3, steps=3),
    "AdvProp": lambda flow: methods.AdvProp(ATTACKS["PGD"](flow)),
    "AdvProp, targeted": lambda flow: methods.AdvProp(
        ATTACKS["PGD, targeted"](flow)
    ),
    "RLAT": lambda flow: methods.RLAT(layers=["stage1"]),
    "VAEGAN": lambda flow: methods.VAEGAN(
        flow, radius=0.1, steps=2, learning_rate=0.05
    ),
    "IJSAT": lambda flow: methods.IJSAT(
        ATTACKS["JointSpaceAttack"](flow), tau=1.0
    ),
    "IJSAT, one alpha per batch": lambda flow: methods.IJSAT(
        ij.attacks.PGD(SPHERE, steps=2, restarts=2), tau=1.0, alpha="batch"
    ),
}


def batch(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of three classes."""
    return tiny.random_images(rows), np.arange(rows, dtype="int32") % 3


# Rows whose code other rows run too: the same search in another space, the
# same method with another attack. `make test` leaves them to `make test-all`.
VARIANTS = {
    "Ascent in JPEG, L1",
    "Ascent in Joint of three",
    "Ascent in Latent, level 2",
    "Ascent in Latent, standardized",
    "PGD, L2",
    "AT with JSA, then mixup",
    "IAT",
    "IJSAT, one alpha per batch",
    "APGD, L1",
    "APGD, dlr",
    "Ascent in AdamLatent, level 1",
    "Ascent in JPEG, L2",
    "Ascent in Joint",
    "Ascent in Joint with Elastic",
    "Ascent in Latent, L1",
    "Ascent in Latent, L2",
    "Ascent in Latent, Linf",
    "Ascent in Pixels, L1",
    "Ascent in Pixels, L2",
    "Ascent in Pixels, Linf",
    "DeepFool, Linf",
    "Elastic, reference",
    "FastMinimumNorm, Linf, targeted",
    "Fog, reference",
    "Gabor, reference",
    "JPEG, reference",
    "JointSpaceAttack, level 1",
    "PerceptualPGD, another network",
    "ReColor, from the image",
    "RotateTranslate",
    "Snow, reference",
    "StAdv, from the image",
    "AT with FastLagrangePerceptual",
    "AT with JSA",
    "AT with WorstOf",
    "AdvProp, targeted",
    "DMAT with JSA",
    "MART with JSA",
    "TRADES with JSA",
}

# Promises that code of all rows keeps, and the rows that `make test` tries.
SAMPLED = {
    "precision_test.py": {
        "JointSpaceAttack",
        "APGD, L2",
        "FAB",
        "Square",
        "CarliniWagner",
        "DeepFool",
        "FastMinimumNorm",
        "FastLagrangePerceptual",
        "PerceptualPGD",
        "RotateTranslateGrid",
        "Ascent in AdamLatent",
        "Ascent in Elastic",
        "Ascent in JPEG",
        "Ascent in Fog",
        "Ascent in Snow",
        "Ascent in Gabor",
        "Ascent in StAdv",
        "Ascent in ReColor",
        "Standard",
        "ManifoldMixup",
        "AdversarialLA",
        "TRADES",
        "MART",
        "FastPAT",
        "AdvProp",
        "RLAT",
        "VAEGAN",
        "IJSAT",
    },
    "replicas_test.py": {
        "Standard",
        "ManifoldMixup",
        "TRADES",
        "AdvProp",
        "IJSAT",
    },
    # The seeds of all methods come from the step.
    "resume_test.py": {"Standard", "ManifoldMixup", "IJSAT", "AdvProp"},
    # The methods' own rows train on attacks, too.
    "training_test.py": {"Square", "DeepFool", "foreign", "Ascent in ReColor"},
    # Replicas take parts of a batch, and graph_test tries parts of each attack.
    "spread_test.py": {"JointSpaceAttack", "Square", "foreign"},
}


@contextlib.contextmanager
def eagerly():
    """Within this context no function becomes a graph."""
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


def make_model(method, classifier=None, seed=0) -> ij.training.AdversarialModel:
    """A compiled model of a method, always from the same weights."""
    keras.utils.set_random_seed(0)
    classifier = classifier or tiny.make_classifier()
    if isinstance(method, methods.AdvProp):
        classifier = ij.models.with_auxiliary_norm(classifier)
    model = ij.training.AdversarialModel(classifier, method, seed=seed)
    model.compile(
        optimizer=ij.training.SGD(0.05, momentum=0.9, l2=1e-3),
        metrics=["accuracy"],
    )
    return model
