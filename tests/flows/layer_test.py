"""The base of the flow's layers, by a layer that multiplies by a weight."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from ijsat_tf.flows.layer import FlowLayer


class Factor(FlowLayer):
    def build(self, shape):
        self.factor = self.add_weight(
            shape=(), initializer=keras.initializers.Constant(-3.0)
        )

    @property
    def bijector(self):
        return tfp.bijectors.Scale(tf.convert_to_tensor(self.factor))

    def call(self, inputs):
        return self.add_types(inputs, tf.convert_to_tensor(self.factor))

    def add_types(self, inputs, factor):
        self.types = inputs.dtype.name, factor.dtype.name
        return inputs


@pytest.fixture
def activations():
    return np.random.default_rng(0).normal(size=(2, 4, 3, 5)).astype("float32")


def test_a_step_towards_the_latents_follows_from_the_bijector(activations):
    layer = Factor()
    layer.build(activations.shape)
    latents, log_det = layer.inverse_and_log_det(activations)
    np.testing.assert_allclose(latents, activations / -3, rtol=1e-6)
    np.testing.assert_allclose(log_det, -60 * math.log(3), rtol=1e-6)


def test_the_bijector_follows_the_weights(activations):
    layer = Factor()
    layer.build(activations.shape)
    layer.factor.assign(2.0)
    np.testing.assert_array_equal(
        layer.bijector.forward(activations), activations * 2
    )


def test_weights_are_never_cast_to_the_compute_type(activations):
    layer = Factor(dtype="mixed_bfloat16")
    layer(activations)
    assert layer.types == ("bfloat16", "float32")
    assert layer.factor.dtype == "float32"


def test_initialize_has_nothing_to_do(activations):
    layer = Factor()
    layer.build(activations.shape)
    layer.initialize(activations)
    assert float(layer.factor) == -3.0


def test_a_layer_must_give_its_bijector():
    with pytest.raises(NotImplementedError):
        _ = FlowLayer().bijector
