"""Convolution and BatchNorm against SciPy and PyTorch's formulas."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import signal

from ijsat_tf.models import conv_norm
from tests import tiny
from tests.models import reference

RANDOM = np.random.default_rng(0)


def correlated(image, kernel, stride):
    """Of one image, with symmetric zeros, as PyTorch pads."""
    edge = kernel.shape[0] // 2
    image = np.pad(image, ((edge, edge), (edge, edge), (0, 0)))
    outputs = [
        sum(
            signal.correlate2d(image[..., c], kernel[..., c, k], "valid")
            for c in range(image.shape[-1])
        )
        for k in range(kernel.shape[-1])
    ]
    return np.stack(outputs, -1)[::stride, ::stride]


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [1, 3, 7])
def test_a_convolution_by_scipy(size, stride):
    """Of sides that are even and odd, which "same" pads differently."""
    inputs = keras.Input((8, 9, 2))
    outputs = conv_norm.convolution(inputs, 3, size, stride, "here")
    model = keras.Model(inputs, outputs)
    (kernel,) = model.get_layer("here").get_weights()
    assert kernel.shape == (size, size, 2, 3)
    images = RANDOM.normal(size=(2, 8, 9, 2)).astype("float32")
    expected = [correlated(image, kernel, stride) for image in images]
    np.testing.assert_allclose(model(images), expected, rtol=1e-4, atol=1e-5)


def test_a_convolution_and_its_norm_are_composed():
    inputs = keras.Input((6, 6, 2))
    outputs = conv_norm.convolution_norm(
        inputs, 3, 3, 2, "here", conv_norm.he_fan_out
    )
    model = keras.Model(inputs, outputs)
    reference.randomize(model)
    (kernel,) = model.get_layer("here_convolution").get_weights()
    norm = model.get_layer("here_norm").get_weights()
    gamma, beta, mean, variance = norm
    image = RANDOM.normal(size=(6, 6, 2)).astype("float32")
    expected = correlated(image, kernel, 2) - mean
    expected = gamma * expected / np.sqrt(variance + 1e-5) + beta
    found = model(image[np.newaxis], training=False)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def make_norm():
    inputs = keras.Input((2,))
    return keras.Model(inputs, conv_norm.norm(inputs, "norm"))


def test_statistics_move_by_a_tenth():
    """Of features so small that epsilon counts."""
    x = RANDOM.normal(size=(50, 2), scale=[1.0, 3e-3]).astype("float32")
    model = make_norm()
    expected = (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5)
    np.testing.assert_allclose(model(x, training=True), expected, atol=1e-4)
    norm = model.get_layer("norm")
    np.testing.assert_allclose(norm.moving_mean, 0.1 * x.mean(0), rtol=1e-4)
    np.testing.assert_allclose(
        norm.moving_variance, 0.9 + 0.1 * x.var(0), rtol=1e-4
    )


def test_two_replicas_share_the_statistics_of_the_whole_batch():
    if len(tf.config.list_logical_devices("CPU")) < 2:
        pytest.skip("needs two logical CPU devices")
    x = RANDOM.normal(size=(2, 10, 2), scale=2).astype("float32")
    x[1] += 5  # Each half alone has another mean.
    strategy = tiny.two_replicas()
    with strategy.scope():
        model = make_norm()

    @tf.function
    def step():
        def forward():
            context = tf.distribute.get_replica_context()
            half = tf.constant(x)[context.replica_id_in_sync_group]
            return model(half, training=True)

        return strategy.run(forward)

    found = np.stack(strategy.experimental_local_results(step()))
    mean, variance = x.mean((0, 1)), x.var((0, 1))
    expected = (x - mean) / np.sqrt(variance + 1e-5)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_batch_norm_is_not_synchronized_alone():
    assert not make_norm().get_layer("norm").synchronized


def test_kernels_start_by_their_outputs():
    """N(0, 2 / fan_out), whose tails are not cut off."""
    kernel = np.array(conv_norm.he_fan_out()((3, 3, 16, 256)))
    expected = np.sqrt(2 / (3 * 3 * 256))
    np.testing.assert_allclose(kernel.std(), expected, rtol=0.02)
    np.testing.assert_allclose(kernel.mean(), 0, atol=0.02 * expected)
    assert np.abs(kernel).max() > 3.5 * expected
