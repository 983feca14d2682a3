"""Attacks against those of Foolbox, where it is installed."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.attacks import FGSM, Ascent
from ijsat_tf.spaces import L2, Linf
from tests import tiny

foolbox = pytest.importorskip(
    "foolbox", reason="Foolbox is not installed: pip install ijsat-tf[oracles]"
)

# Also black and white pixels, where both must clip.
IMAGES = np.random.default_rng(0).uniform(-0.2, 1.2, (6, *tiny.SHAPE))
IMAGES = np.clip(IMAGES, 0, 1).astype("float32")
LABELS = np.array([0, 1, 2, 0, 1, 2])


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return tiny.make_classifier()


def _foolbox(attack, model, epsilon):
    wrapped = foolbox.TensorFlowModel(model, bounds=(0, 1))
    _, images, success = attack(
        wrapped, tf.constant(IMAGES), tf.constant(LABELS), epsilons=epsilon
    )
    return images, success


@pytest.mark.parametrize("steps", [1, 3, 10])
def test_pgd_in_linf(model, steps):
    expected, success = _foolbox(
        foolbox.attacks.LinfPGD(
            abs_stepsize=0.02, steps=steps, random_start=False
        ),
        model,
        0.05,
    )
    attack = Ascent(Linf(0.05, step=0.02), steps=steps, random_start=False)
    result = attack(model, IMAGES, LABELS)
    np.testing.assert_allclose(result.images, expected, atol=1e-5)
    np.testing.assert_array_equal(result.success, success)


@pytest.mark.parametrize("steps", [1, 3])
def test_pgd_in_l2(model, steps):
    # Foolbox cuts at [0, 1] after each step, too.
    expected, success = _foolbox(
        foolbox.attacks.L2PGD(
            abs_stepsize=0.3, steps=steps, random_start=False
        ),
        model,
        0.8,
    )
    attack = Ascent(L2(0.8, step=0.3), steps=steps, random_start=False)
    result = attack(model, IMAGES, LABELS)
    np.testing.assert_allclose(result.images, expected, atol=1e-5)
    np.testing.assert_array_equal(result.success, success)


def test_fgsm(model):
    expected, success = _foolbox(foolbox.attacks.FGSM(), model, 0.05)
    result = FGSM(Linf(0.05))(model, IMAGES, LABELS)
    np.testing.assert_allclose(result.images, expected, atol=1e-5)
    np.testing.assert_array_equal(result.success, success)
