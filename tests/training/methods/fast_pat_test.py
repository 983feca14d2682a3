import keras
import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf.training import methods
from tests import reference, tiny
from tests.conformance import catalogue

SEED = tf.constant([1, 2])


@pytest.mark.parametrize("only_correct", [True, False])
def test_loss_by_numpy(only_correct, batch, classifier):
    correct = np.arange(6) < 3
    classes = np.argmax(classifier(batch.images), axis=1)
    labels = tf.one_hot(np.where(correct, classes, (classes + 1) % 3), 3)
    batch = batch._replace(labels=labels)
    method = methods.FastPAT(0.3, steps=3, only_correct=only_correct)
    crafted = method.craft(classifier, batch, SEED)
    attack = ij.attacks.FastLagrangePerceptual(0.3, steps=3)
    attacked = attack(classifier, batch.images, labels, seed=SEED).images
    expected = np.where(
        (correct | (not only_correct))[:, None, None, None],
        attacked,
        batch.images,
    )
    np.testing.assert_array_equal(crafted, expected)
    (logits,) = reference.trained(classifier, crafted)
    each, seen, outputs = method.loss(classifier, batch, crafted)
    np.testing.assert_allclose(
        each, reference.cross_entropy(labels, logits), rtol=1e-5
    )
    assert seen is labels
    np.testing.assert_allclose(outputs, logits, rtol=1e-5, atol=1e-6)


def test_the_network_of_a_distance_is_saved_and_not_trained(
    images, labels, tmp_path
):
    distance = catalogue.perceptual_distance()
    before = distance.network.get_weights()
    model = catalogue.make_model(methods.FastPAT(0.3, 1, distance))
    model.train_on_batch(images, labels)
    model.save(tmp_path / "model.keras")
    copy = keras.saving.load_model(tmp_path / "model.keras").method.distance
    for network in (distance.network, copy.network):
        for one, other in zip(before, network.get_weights()):
            np.testing.assert_array_equal(one, other)


def test_values_of_the_gradient_are_clipped(images, labels):
    """As the official code does it: before momentum and weight decay."""
    model = catalogue.make_model(methods.FastPAT(0.3, steps=1))
    model.compile(ij.training.SGD(1.0, momentum=0.0, l2=0.1, clipvalue=1e-3))
    before = [weight.numpy() for weight in model.trainable_variables]
    model.train_on_batch(images, labels)
    for weight, start in zip(model.trainable_variables, before):
        step = start - 0.1 * start - weight.numpy()
        assert np.abs(step).max() <= 1e-3 + 1e-6


def test_what_is_refused():
    with pytest.raises(ValueError, match="`bound`"):
        methods.FastPAT(-1.0)
    with pytest.raises(ValueError, match="`steps`"):
        methods.FastPAT(steps=0)
    with pytest.raises(ValueError, match="`layers` must name layers"):
        ij.training.AdversarialModel(
            tiny.make_classifier(), methods.FastPAT(layers=["stage7"])
        )
