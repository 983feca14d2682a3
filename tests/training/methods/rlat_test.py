import keras
import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf.samples import Batch
from ijsat_tf.training import methods
from tests import reference, tiny
from tests.conformance import catalogue
from tests.models.reference import randomize

EPSILON, STABILITY = 0.8, 1e-3


@pytest.fixture
def classifier():
    """A linear map, BatchNorm, and another linear map."""
    inputs = keras.Input(tiny.SHAPE)
    x = keras.layers.Dense(5)(keras.layers.Flatten(name="first")(inputs))
    x = keras.layers.BatchNormalization(
        momentum=0.9, epsilon=STABILITY, name="second"
    )(x)
    model = keras.Model(inputs, keras.layers.Dense(3)(x))
    randomize(model)
    return model


def unit(gradient):
    rows = gradient.reshape(len(gradient), -1)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).reshape(
        gradient.shape
    )


def backward(x, gradient, gamma):
    """The gradient before BatchNorm in training mode, at its input x."""
    deviation = np.sqrt(x.var(axis=0) + STABILITY)
    hat = (x - x.mean(axis=0)) / deviation
    mean = gradient.mean(axis=0) + hat * (gradient * hat).mean(axis=0)
    return gamma / deviation * (gradient - mean)


def test_loss_by_numpy(batch, classifier):
    kernel, bias, gamma, beta, mean, variance, last, last_bias = [
        weight.astype("float64") for weight in classifier.get_weights()
    ]
    labels = batch.labels.numpy()

    def norm(x):
        hat = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + STABILITY)
        return hat * gamma + beta

    def dense(images):
        return images.reshape(6, -1) @ kernel + bias

    images = batch.images.numpy().astype("float64")
    before = dense(images)
    after = norm(before)
    slope = (reference.softmax(after @ last + last_bias) - labels) @ last.T
    # At the image, at "first", which has as many values, and at "second".
    to_image = backward(before, slope, gamma) @ kernel.T
    changes = [
        EPSILON * unit(to_image).reshape(images.shape),
        EPSILON * unit(to_image) / 2,
        EPSILON * unit(slope) * 5 / 128 / 3,
    ]
    moved = np.clip(images + changes[0], 0, 1).reshape(6, -1) + changes[1]
    second = dense(moved)
    logits = (norm(second) + changes[2]) @ last + last_bias
    expected = reference.cross_entropy(labels, logits)

    method = methods.RLAT(EPSILON, layers=["first", "second"])
    each, seen, outputs = method.loss(classifier, batch, batch.images)
    np.testing.assert_allclose(each, expected, rtol=1e-4)
    np.testing.assert_allclose(outputs, logits, rtol=1e-4, atol=1e-4)
    assert seen is batch.labels
    # The moving averages have seen both passes.
    moving = classifier.get_layer("second").moving_mean
    expected = 0.9 * (0.9 * mean + 0.1 * before.mean(axis=0))
    expected += 0.1 * second.mean(axis=0)
    np.testing.assert_allclose(moving, expected, rtol=1e-4)


def test_radius_0_is_normal_training(batch, classifier):
    (logits,) = reference.trained(classifier, batch.images)
    method = methods.RLAT(0.0, layers=["first", "second"])
    each, *_ = method.loss(classifier, batch, batch.images)
    expected = reference.cross_entropy(batch.labels, logits)
    np.testing.assert_allclose(each, expected, rtol=1e-5)


def test_gradients_take_the_changes_as_constants(batch, classifier):
    method = methods.RLAT(EPSILON, layers=["second"])
    weights = classifier.get_weights()
    with tf.GradientTape() as tape:
        each, *_ = method.loss(classifier, batch, batch.images)
    found = tape.gradient(each, classifier.trainable_variables)
    classifier.set_weights(weights)
    first, second = stages = ij.models.stages(classifier, ["second"])
    changes = method._changes(stages, batch)
    with tf.GradientTape() as tape:
        x = first(batch.images + changes[0], training=True) + changes[1]
        each = keras.losses.categorical_crossentropy(
            batch.labels, second(x), from_logits=True
        )
    expected = tape.gradient(each, classifier.trainable_variables)
    for one, other in zip(found, expected):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


def test_images_stay_images_and_gradients_of_0_move_nothing(classifier):
    images = np.zeros((2, *tiny.SHAPE), "float32")
    batch = Batch(tf.constant(images), tf.eye(3)[:2])
    seen = []

    class Watched(keras.layers.Layer):
        def call(self, x):
            seen.append(x)
            return x

    inputs = keras.Input(tiny.SHAPE)
    x = Watched(name="stage1")(inputs)
    outputs = keras.layers.Dense(3)(keras.layers.Flatten()(x))
    model = keras.Model(inputs, outputs)
    seen.clear()
    methods.RLAT(100.0).loss(model, batch, batch.images)
    ends = [(np.min(x), np.max(x)) for x in seen]
    assert ends == [(0, 0), (0, 1)]
    model.layers[-1].set_weights([np.zeros((128, 3)), np.zeros(3)])
    each, *_ = methods.RLAT().loss(model, batch, batch.images)
    np.testing.assert_allclose(each, np.log(3), rtol=1e-6)


def test_our_classifiers_need_no_layers(images, labels):
    net = ij.models.preact_resnet18(3, width=2, image_shape=tiny.SHAPE)
    model = catalogue.make_model(methods.RLAT(), net)
    assert np.isfinite(model.train_on_batch(images, labels)[0])


def test_what_is_refused(classifier):
    with pytest.raises(ValueError, match="`epsilon`"):
        methods.RLAT(-0.1)
    with pytest.raises(ValueError, match="`layers` must be given"):
        ij.training.AdversarialModel(classifier, methods.RLAT())
    with pytest.raises(ValueError, match="`layers` must name layers"):
        methods.RLAT(layers=["third"]).check(classifier)
