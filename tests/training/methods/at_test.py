import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.training import methods
from tests import reference
from tests.conformance import catalogue

SEED = tf.constant([1, 2])


@pytest.mark.sampled
@pytest.mark.parametrize("name", ["PGD", "JointSpaceAttack", "PGD, restarts"])
def test_it_trains_on_the_attack(name, batch, classifier, flow):
    attack = catalogue.ATTACKS[name](flow)
    method = methods.AT(attack)
    crafted = method.craft(classifier, batch, SEED)
    expected = attack(classifier, batch.images, batch.labels, seed=SEED)
    np.testing.assert_array_equal(crafted, expected.images)
    (logits,) = reference.trained(classifier, crafted)
    losses, labels, seen = method.loss(classifier, batch, crafted)
    np.testing.assert_allclose(
        losses, reference.cross_entropy(batch.labels, logits), rtol=1e-5
    )
    assert labels is batch.labels
    np.testing.assert_allclose(seen, logits, rtol=1e-5, atol=1e-6)
