"""Attacks by the fast path against the layers' own calls.

Sign steps amplify roundings, so that images cannot be equal.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from tests import tiny
from tests.models.reference import randomize

BALL = ij.spaces.Linf(0.02, step=0.005)
LATENT = ij.spaces.Linf(0.05, step=0.0125)


class Plain:
    """A flow that attacks know by its public methods alone."""

    def __init__(self, flow):
        self.encode, self.decode = flow.encode, flow.decode


@pytest.fixture(scope="module")
def case(flow):
    keras.utils.set_random_seed(0)
    model = tiny.make_classifier()
    randomize(model)
    images = tiny.random_images(200, (8, 8, 2))
    labels = tf.argmax(model(images), axis=-1)
    return model, images, labels


def attacks(name, flow, steps):
    if name == "PGD":
        return ij.attacks.PGD(BALL, steps)
    return ij.attacks.JointSpaceAttack(flow, BALL, LATENT, steps)


@pytest.mark.parametrize("name", ["PGD", "JSA"])
@pytest.mark.parametrize("steps", [1, 10])
def test_fast_and_plain(case, flow, name, steps):
    model, images, labels = case
    fast = attacks(name, flow, steps)(model, images, labels)
    plain = attacks(name, Plain(flow), steps)(
        lambda images: model(images, training=False), images, labels
    )
    if steps == 1:
        differ = np.abs(fast.images - plain.images) > 1e-4
        assert differ.mean() <= 1e-3
        return
    np.testing.assert_allclose(
        np.mean(fast.loss), np.mean(plain.loss), rtol=0.01
    )
    gap = np.mean(fast.success) - np.mean(plain.success)
    assert 0.05 < np.mean(plain.success) < 0.97, np.mean(plain.success)
    assert abs(gap) <= 0.005
