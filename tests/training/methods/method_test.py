import keras
import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf.mixup import Batch
from tests.conformance import catalogue

methods = ij.training.methods


@pytest.fixture
def batch(images, labels):
    return Batch(tf.constant(images), tf.one_hot(labels, 3))


def test_standard_changes_nothing(batch, classifier):
    method = methods.Standard()
    seed = tf.constant([1, 2])
    assert method.mix(batch, seed) is batch
    assert method.craft(classifier, batch, seed) is batch.images
    losses, logits = method.loss(classifier, batch, batch.images)
    expected = keras.losses.categorical_crossentropy(
        batch.labels, logits, from_logits=True
    )
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


def test_at_trains_on_the_attack(batch, classifier):
    attack = catalogue.ATTACKS["PGD"](None)
    crafted = methods.AT(attack).craft(classifier, batch, tf.constant([1, 2]))
    expected = attack(
        classifier, batch.images, batch.labels, seed=tf.constant([1, 2])
    )
    np.testing.assert_array_equal(crafted, expected.images)
    assert np.abs(crafted - batch.images).max() <= 0.05 + 1e-6


def test_ijsat_attacks_the_mixture(batch, classifier):
    """Robust Mixup stays in the ball around the mixture; attack-then-mix
    would not reach its loss."""
    attack = catalogue.ATTACKS["PGD"](None)
    method = methods.IJSAT(attack, tau=1.0)
    seed = tf.constant([3, 4])
    mixed = method.mix(batch, seed)
    assert np.abs(mixed.images - batch.images).max() > 0.05
    crafted = method.craft(classifier, mixed, seed)
    assert np.abs(crafted - mixed.images).max() <= 0.05 + 1e-6
    result = attack(classifier, mixed.images, mixed.labels, seed=seed)
    np.testing.assert_array_equal(crafted, result.images)


def test_tau_zero_is_at(batch):
    method = methods.IJSAT(catalogue.ATTACKS["PGD"](None), tau=0.0)
    assert method.mix(batch, tf.constant([1, 2])) is batch


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda attack: methods.AT(None), "needs an attack"),
        (lambda attack: methods.IJSAT("pgd"), "needs an attack"),
        (lambda attack: methods.IJSAT(attack, tau=-1), "`tau`"),
        (lambda attack: methods.IJSAT(attack, alpha="pixel"), "`alpha`"),
    ],
)
def test_bad_settings(make, message):
    with pytest.raises(ValueError, match=message):
        make(catalogue.ATTACKS["PGD"](None))


def test_repr_reprints_the_call():
    attack = catalogue.ATTACKS["PGD"](None)
    assert repr(methods.IJSAT(attack, tau=0.5)) == (
        "IJSAT(PGD(Linf(0.05, step=0.02), steps=3), tau=0.5)"
    )
    assert repr(methods.Standard()) == "Standard()"
