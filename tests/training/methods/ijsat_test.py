import numpy as np
import tensorflow as tf

from ijsat_tf.training import methods
from tests.conformance import catalogue


def test_it_attacks_the_mixture(batch, classifier):
    """Robust Mixup stays in the ball around the mixture; attack-then-mix
    would not reach its loss."""
    attack = catalogue.ATTACKS["PGD"](None)
    method = methods.IJSAT(attack, tau=1.0)
    seed = tf.constant([3, 4])
    mixed = method.mixture(batch, seed)
    assert np.abs(mixed.images - batch.images).max() > 0.05
    crafted = method.craft(classifier, mixed, seed)
    assert np.abs(crafted - mixed.images).max() <= 0.05 + 1e-6
    result = attack(classifier, mixed.images, mixed.labels, seed=seed)
    np.testing.assert_array_equal(crafted, result.images)


def test_tau_zero_is_at(batch):
    method = methods.IJSAT(catalogue.ATTACKS["PGD"](None), tau=0.0)
    assert method.mixture(batch, tf.constant([1, 2])) is batch
