"""Two replicas = one, for the same global batch."""

import functools

import keras
import numpy as np
import tensorflow as tf

from tests import tiny
from tests.conformance import catalogue

IMAGES = tiny.random_images(8)
LABELS = np.array([0, 1, 2, 0, 1, 2, 0, 1], "int32")
BATCHES = tf.data.Dataset.from_tensors((IMAGES, LABELS)).repeat(3)


def strategies():
    yield tf.distribute.get_strategy()
    yield tiny.two_replicas()


@functools.cache
def two_flows():
    """A flow of two replicas that no method changes."""
    with tiny.two_replicas().scope():
        keras.utils.set_random_seed(0)
        return tiny.make_flow()


def test_methods(trained):
    # Where an activation lies next to 0, rounding decides whether a ReLU
    # passes it, and the weights part: then another seed must agree.
    gaps = [gap(trained.name, trained.weights, trained.images, trained.labels)]
    if gaps[-1] > 1e-5:
        other = catalogue.make_model(trained.method, seed=1)
        other.train_on_batch(trained.images, trained.labels)
        weights = other.classifier.get_weights()
        gaps.append(
            gap(trained.name, weights, trained.images, trained.labels, seed=1)
        )
    assert gaps[-1] <= 1e-5, f"one and two replicas differ by {gaps}"


def gap(name, weights, images, labels, seed=0):
    method = catalogue.METHODS[name](two_flows())
    with tiny.two_replicas().scope():
        model = catalogue.make_model(method, seed=seed)
    # Keras' `train_on_batch` would give each replica the whole batch.
    batch = tf.data.Dataset.from_tensors((images, labels))
    model.fit(batch, verbose=0, shuffle=False)
    found = model.classifier.get_weights()
    return max(np.abs(one - two).max() for one, two in zip(weights, found))


def test_three_steps():
    """The second step has momentum, and other random numbers."""
    weights = []
    for strategy in strategies():
        with strategy.scope():
            method = catalogue.METHODS["Cutout"](None)
            model = catalogue.make_model(method)
        model.fit(BATCHES, verbose=0, shuffle=False)
        weights.append(model.classifier.get_weights())
    for one, two in zip(*weights):
        np.testing.assert_allclose(one, two, atol=1e-5)


def test_glow():
    weights = []
    for strategy in strategies():
        with strategy.scope():
            keras.utils.set_random_seed(0)
            flow = tiny.make_flow(gradient_clip=0.1)
            flow.compile(optimizer=keras.optimizers.SGD(0.1))
        flow.fit(BATCHES, verbose=0, shuffle=False)
        weights.append(flow.get_weights())
    for one, other in zip(*weights):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_evaluation_of_a_ragged_tail(flow):
    data = tf.data.Dataset.from_tensor_slices((IMAGES[:7], LABELS[:7]))
    found = []
    for strategy in strategies():
        with strategy.scope():
            model = catalogue.make_model(catalogue.METHODS["Standard"](flow))
        found.append(model.evaluate(data.batch(4), verbose=0))
    np.testing.assert_allclose(*found, rtol=1e-5)
