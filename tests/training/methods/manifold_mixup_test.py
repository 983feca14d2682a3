import keras
import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf.training import methods
from tests import reference, tiny

SEED = tf.constant([1, 2])
PAIRS = np.array([1, 0, 3, 2, 5, 4])


def binary(labels, logits):
    p = reference.softmax(logits)
    return -np.mean(labels * np.log(p) + (1 - labels) * np.log(1 - p), axis=1)


@pytest.fixture
def net():
    return ij.models.small_cnn(3, width=4, image_shape=tiny.SHAPE)


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("kind", ["binary", "categorical"])
def test_loss_by_numpy(batch, net, place, kind):
    method = methods.ManifoldMixup(cross_entropy=kind)
    crafted = method.craft(net, batch, SEED)
    alpha = float(crafted.alpha[0])
    np.testing.assert_array_equal(crafted.alpha, np.full(6, alpha, "float32"))

    def mixed(items):
        items = np.asarray(items)
        return alpha * items + (1 - alpha) * items[PAIRS]

    features = batch.images
    for number, stage in enumerate(ij.models.stages(net, method.layers)):
        features = stage(mixed(features) if number == place else features)
    formula = {"binary": binary, "categorical": reference.cross_entropy}[kind]
    crafted = crafted._replace(place=tf.constant(place))
    losses, labels, logits = method.loss(net, batch, crafted)
    np.testing.assert_allclose(labels, mixed(batch.labels), rtol=1e-6)
    np.testing.assert_allclose(logits, features, rtol=1e-4, atol=1e-6)
    expected = formula(mixed(batch.labels), features)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


def test_places_and_alphas_are_drawn_anew(batch, net):
    draws = [
        methods.ManifoldMixup().craft(net, batch, tf.constant([number, 0]))
        for number in range(20)
    ]
    assert {int(draw.place) for draw in draws} == {0, 1, 2}
    assert len({float(draw.alpha[0]) for draw in draws}) == 20


def test_the_binary_loss_of_a_certain_model_is_finite():
    net = keras.Sequential(
        [keras.layers.Input([8, 8, 2]), keras.layers.Flatten(name="a")]
    )
    net.add(keras.layers.Dense(3, kernel_initializer="zeros"))
    net.layers[-1].bias.assign([300.0, 0.0, -300.0])
    method = methods.ManifoldMixup(layers=["a"])
    batch = ij.samples.Batch(
        tf.constant(tiny.random_images()), tf.one_hot([0, 1, 2, 1, 0, 2], 3)
    )
    crafted = method.craft(net, batch, SEED)
    with tf.GradientTape() as tape:
        losses, *_ = method.loss(net, batch, crafted)
        loss = tf.reduce_sum(losses)
    assert np.isfinite(losses).all()
    gradient = tape.gradient(loss, net.layers[-1].bias)
    assert np.isfinite(gradient).all()


def test_without_layers_it_is_input_mixup(batch, classifier):
    method = methods.ManifoldMixup(1.0, (), cross_entropy="categorical")
    crafted = method.craft(classifier, batch, SEED)
    assert int(crafted.place) == 0
    mixture = ij.mixup.mix(batch, crafted.alpha, PAIRS)
    expected, *_ = methods.Mixup().loss(classifier, mixture, mixture.images)
    losses, *_ = method.loss(classifier, batch, crafted)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


def test_a_classifier_that_cannot_be_cut():
    class Foreign(keras.Model):
        def call(self, images):
            return tf.zeros([len(images), 3])

    with pytest.raises(ValueError, match="functional"):
        ij.training.AdversarialModel(Foreign(), methods.ManifoldMixup())
    net = tiny.make_classifier()
    with pytest.raises(ValueError, match="must name layers of"):
        ij.training.AdversarialModel(net, methods.ManifoldMixup())
