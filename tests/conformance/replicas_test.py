"""Two replicas = one, for the same global batch."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import tiny
from tests.conformance import catalogue

IMAGES = tiny.random_images(8)
LABELS = np.array([0, 1, 2, 0, 1, 2, 0, 1], "int32")
BATCHES = tf.data.Dataset.from_tensors((IMAGES, LABELS)).repeat(3)


def strategies():
    yield tf.distribute.get_strategy()
    yield tiny.two_replicas()


@pytest.mark.parametrize("name", catalogue.METHODS)
def test_methods(name):
    # Where an activation lies next to 0, rounding decides whether a ReLU
    # passes it, and the weights part: then another seed must agree.
    gaps = []
    for seed in (0, 1):
        gaps.append(gap_of_three_steps(catalogue.METHODS[name], seed))
        if gaps[-1] < 1e-5:
            return
    pytest.fail(f"one and two replicas differ by {gaps}")


def gap_of_three_steps(make_method, seed):
    weights = []
    for strategy in strategies():
        keras.utils.set_random_seed(0)
        with strategy.scope():
            method = make_method(tiny.make_flow())
            model = catalogue.make_model(method, seed=seed)
        model.fit(BATCHES, verbose=0, shuffle=False)
        weights.append(model.classifier.get_weights())
    return max(np.abs(one - other).max() for one, other in zip(*weights))


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
