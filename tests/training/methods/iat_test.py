import keras
import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf.training import methods
from tests import reference, tiny
from tests.conformance import catalogue

SEED = tf.constant([1, 2])
PAIRS = np.array([1, 0, 3, 2, 5, 4])


def mixed(items, alpha):
    items = np.asarray(items)
    weight = np.reshape(alpha, (-1,) + (1,) * (items.ndim - 1))
    return weight * items + (1 - weight) * items[PAIRS]


def test_loss_by_numpy(batch, classifier):
    attack = catalogue.ATTACKS["PGD"](None)
    method = methods.IAT(attack, tau=1.0, clean=0.25)
    crafted = method.craft(classifier, batch, SEED)
    clean, attacked = crafted
    np.testing.assert_array_equal(clean.batch.images, batch.images)
    np.testing.assert_array_equal(
        attacked.batch.images,
        attack(classifier, batch.images, batch.labels, seed=SEED).images,
    )
    assert np.abs(clean.alpha - attacked.alpha).min() > 1e-3
    logits = reference.trained(
        classifier,
        *(mixed(each.batch.images, each.alpha) for each in crafted),
    )
    expected = sum(
        weight * reference.cross_entropy(mixed(batch.labels, part.alpha), each)
        for weight, part, each in zip((0.25, 0.75), crafted, logits)
    )
    losses, labels, seen = method.loss(classifier, batch, crafted)
    np.testing.assert_allclose(losses, expected, rtol=1e-4)
    np.testing.assert_allclose(labels, mixed(batch.labels, attacked.alpha))
    np.testing.assert_allclose(seen, logits[1], rtol=1e-4, atol=1e-5)


def test_without_clean_images_it_is_attack_then_mix(batch, classifier, flow):
    """AT [JSA]-mixup of Table 4."""
    attack = catalogue.ATTACKS["JointSpaceAttack"](flow)
    method = methods.IAT(attack, tau=1.0, clean=0)
    (part,) = crafted = method.craft(classifier, batch, SEED)
    images = attack(classifier, batch.images, batch.labels, seed=SEED).images
    (logits,) = reference.trained(classifier, mixed(images, part.alpha))
    expected = reference.cross_entropy(mixed(batch.labels, part.alpha), logits)
    losses, *_ = method.loss(classifier, batch, crafted)
    np.testing.assert_allclose(losses, expected, rtol=1e-4)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_manifold_mixup_mixes_one_place(place, batch):
    net = ij.models.small_cnn(3, width=4, image_shape=tiny.SHAPE)
    method = methods.IAT(catalogue.ATTACKS["PGD"](None), 1.0, "manifold")
    part = method.craft(net, batch, SEED)[1]
    part = part._replace(place=tf.constant(place))
    features = part.batch.images
    for number, stage in enumerate(ij.models.stages(net, method.layers)):
        if number == place:
            features = mixed(features, part.alpha)
        features = stage(features, training=True)
    expected = reference.cross_entropy(
        mixed(batch.labels, part.alpha), features
    )
    losses, *_ = method.loss(net, batch, [part, part])
    np.testing.assert_allclose(losses, expected, rtol=1e-4)


def test_places_are_drawn_anew(batch):
    net = ij.models.small_cnn(3, width=4, image_shape=tiny.SHAPE)
    method = methods.IAT(catalogue.ATTACKS["PGD"](None), 1.0, "manifold")
    found = set()
    for number in range(20):
        clean, attacked = method.craft(net, batch, tf.constant([number, 0]))
        found |= {(int(clean.place), int(attacked.place))}
    assert {one for one, _ in found} == {0, 1, 2}
    assert len(found) > 4


def test_tau_zero_mixes_nothing(batch, classifier):
    method = methods.IAT(catalogue.ATTACKS["PGD"](None), tau=0)
    clean, attacked = crafted = method.craft(classifier, batch, SEED)
    np.testing.assert_array_equal(clean.alpha, np.ones(6))
    logits = reference.trained(classifier, batch.images, attacked.batch.images)
    expected = np.mean(
        [reference.cross_entropy(batch.labels, each) for each in logits], axis=0
    )
    losses, *_ = method.loss(classifier, batch, crafted)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


def test_a_classifier_that_cannot_be_cut():
    class Foreign(keras.Model):
        def call(self, images):
            return tf.zeros([len(images), 3])

    method = methods.IAT(catalogue.ATTACKS["PGD"](None), mix="manifold")
    with pytest.raises(ValueError, match="functional"):
        ij.training.AdversarialModel(Foreign(), method)
    net = keras.Sequential(
        [
            keras.layers.Input(tiny.SHAPE),
            keras.layers.Flatten(name="rows"),
            keras.layers.Dense(3),
        ]
    )
    with pytest.raises(ValueError, match="stage1"):
        ij.training.AdversarialModel(net, method)
    named = methods.IAT(method.attack, mix="manifold", layers=["rows"])
    ij.training.AdversarialModel(net, named)
