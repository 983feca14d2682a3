"""What the attacks by flows, colours and rotations promise alike."""

import dataclasses
import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf import losses
from ijsat_tf.attacks import transforms
from tests import tiny

ATTACKS = {
    "StAdv": transforms.StAdv(0.2, steps=8),
    "ReColor": transforms.ReColor(0.1, step=0.02, steps=8),
    "RotateTranslate": transforms.RotateTranslate(30, 2, steps=8),
}


def losses_of(model, images, labels):
    return losses.cross_entropy(tf.one_hot(labels, 2), model(images))


@pytest.mark.parametrize("name", ATTACKS)
def test_the_loss_grows_and_budgets_are_kept(name):
    images, labels = tiny.random_images(), np.zeros(6, int)
    _, model = tiny.make_linear()
    attack = ATTACKS[name]
    found = attack(model, images, labels, seed=1)
    assert np.sum(found.loss) > np.sum(losses_of(model, images, labels))
    assert found.budget.keys() == attack.radii.keys()
    for space, most in attack.radii.items():
        assert 0 < np.max(found.budget[space]) <= most * (1 + 1e-5)
    again = attack(model, images, labels, seed=1)
    np.testing.assert_array_equal(again.images, found.images)


def test_the_loss_of_a_target_falls():
    images, labels = tiny.random_images(), np.zeros(6, int)
    _, model = tiny.make_linear()
    attack = dataclasses.replace(ATTACKS["StAdv"], targeted=True)
    found = attack(model, images, labels)
    assert np.sum(found.loss) < np.sum(losses_of(model, images, labels))


@pytest.mark.parametrize(
    "attack, step",
    [
        (transforms.StAdv(0.05), 0.01),
        (transforms.ReColor(0.06), 0.001),
        (transforms.StAdv(0.05, step=0.3), 0.3),
    ],
)
def test_default_steps_are_those_of_the_source(attack, step):
    assert attack.steps == 100 and not attack.random_start
    assert attack.space.with_steps(100).step == pytest.approx(step)


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_has_its_space_s_settings(name):
    attack, space = getattr(ij.attacks, name), getattr(ij.spaces, name)
    settings = {*inspect.signature(attack).parameters}
    assert settings - {"steps", "targeted", "restarts"} == {
        *inspect.signature(space).parameters
    }
    for each in (ATTACKS[name], ATTACKS[name].space):
        config = keras.saving.serialize_keras_object(each)
        assert keras.saving.deserialize_keras_object(config) == each
