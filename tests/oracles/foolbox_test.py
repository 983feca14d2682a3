"""Attacks against those of Foolbox, where it is installed."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf import seeds
from ijsat_tf.attacks import FGSM, Ascent
from ijsat_tf.spaces import L1, L2, Linf
from tests import tiny

foolbox = pytest.importorskip(
    "foolbox", reason="Foolbox is not installed: pip install ijsat-tf[oracles]"
)
ep = pytest.importorskip("eagerpy")  # Foolbox needs it.

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


@pytest.mark.parametrize("steps", [1, 3, 10])
def test_pgd_in_l1(model, steps):
    # Inside the ball and [0, 1]: Foolbox 3.3.4 divides by one coordinate too
    # many in its projection, which ends outside of the ball.
    images = 0.4 + 0.2 * IMAGES
    wrapped = foolbox.TensorFlowModel(model, bounds=(0, 1))
    attack = foolbox.attacks.SparseL1DescentAttack(
        abs_stepsize=0.05, steps=steps
    )
    _, expected, success = attack(
        wrapped, tf.constant(images), tf.constant(LABELS), epsilons=0.51
    )
    # Both move the two largest of 128 slopes.
    attack = Ascent(L1(0.51, step=0.05), steps=steps, random_start=False)
    result = attack(model, images, LABELS)
    np.testing.assert_allclose(result.images, expected, atol=1e-5)
    np.testing.assert_array_equal(result.success, success)


def test_the_start_in_l1_has_the_distribution_of_foolbox():
    attack = foolbox.attacks.SparseL1DescentAttack()
    like = tf.zeros([4000, 2, 3, 1])
    theirs = attack.get_random_start(ep.astensor(like), 2.0).raw
    ours = L1(2.0).start(like, seeds.derive(0))
    for measure in (
        lambda change: np.abs(change).sum((1, 2, 3)),
        lambda change: np.abs(change).max((1, 2, 3)),
        lambda change: np.ravel(change)[::6],
    ):
        drawn = [np.sort(measure(np.array(part))) for part in (ours, theirs)]
        # Two samples of 4000 numbers: 1.95 sqrt(2 / 4000) at 0.1 %.
        places = np.searchsorted(drawn[1], drawn[0]) / 4000
        assert np.abs(places - np.arange(4000) / 4000).max() < 0.044


def test_fgsm(model):
    expected, success = _foolbox(foolbox.attacks.FGSM(), model, 0.05)
    result = FGSM(Linf(0.05))(model, IMAGES, LABELS)
    np.testing.assert_allclose(result.images, expected, atol=1e-5)
    np.testing.assert_array_equal(result.success, success)
