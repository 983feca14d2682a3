"""The power iteration against singular values from NumPy."""

import numpy as np
import tensorflow as tf

from ijsat_tf.generators import SpectralConv2D
from tests import tiny

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(2, 5, 5, 3))


def layer(**settings):
    made = SpectralConv2D(4, dtype="float64", **settings)
    made.build(X.shape)
    return made


def matrix(made):
    """W, (filters, size * size * channels)."""
    return np.reshape(made.kernel.numpy(), (-1, made.filters)).T


def converged(**settings):
    made = layer(**settings)
    for _ in range(200):
        made(X, training=True)
    return made


def test_the_kernel_has_norm_1():
    made = converged(use_bias=False)
    largest = np.linalg.svd(matrix(made), compute_uv=False)[0]
    expected = tf.nn.conv2d(X, made.kernel / largest, 1, "SAME")
    np.testing.assert_allclose(made(X), expected, rtol=1e-6)


def test_a_call_is_one_power_iteration():
    made = layer()
    w, u = matrix(made), made.u.numpy()[0]
    made(X, training=True)
    v = w.T @ u / np.linalg.norm(w.T @ u)
    u = w @ v / np.linalg.norm(w @ v)
    np.testing.assert_allclose(made.u.numpy()[0], u, rtol=1e-6)


def test_inference_writes_nothing_and_training_leaves_the_kernel():
    made = layer()
    before = made.get_weights()
    made(X)
    np.testing.assert_array_equal(made.u, before[-1])
    made(X, training=True)
    np.testing.assert_array_equal(made.kernel, before[0])
    assert np.abs(made.u - before[-1]).max() > 0.01


def test_the_gradient_is_that_of_the_normalised_kernel():
    made = converged(use_bias=False)
    weights = RANDOM.normal(size=(2, 5, 5, 4))
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(weights * made(X))
    gradient = tape.gradient(total, made.kernel.value)

    def at(kernel):
        flat = np.reshape(kernel, (-1, 4))
        sigma = np.linalg.svd(flat, compute_uv=False)[0]
        return np.sum(weights * tf.nn.conv2d(X, kernel / sigma, 1, "SAME"))

    kernel, way = made.kernel.numpy(), RANDOM.normal(size=(3, 3, 3, 4))
    slope = (at(kernel + 1e-5 * way) - at(kernel - 1e-5 * way)) / 2e-5
    np.testing.assert_allclose(np.sum(gradient * way), slope, rtol=1e-6)


def test_the_norm_is_found_in_float32_whatever_computes():
    made = SpectralConv2D(4, dtype="mixed_bfloat16")
    narrow = made(X.astype("float32"), training=True)
    assert narrow.dtype == tf.bfloat16
    exact = SpectralConv2D(4)
    exact.build(X.shape)
    exact.set_weights(made.get_weights())
    np.testing.assert_array_equal(
        made._sigma(made.kernel[0, 0], False),
        exact._sigma(exact.kernel[0, 0], False),
    )
    wide = exact(X.astype("float32"))
    np.testing.assert_allclose(made(X.astype("float32")), wide, atol=0.05)


def test_replicas_hold_the_same_vector():
    strategy = tiny.two_replicas()
    with strategy.scope():
        made = SpectralConv2D(4)
        made.build(X.shape)

    @tf.function
    def step():
        strategy.run(lambda: made(tf.cast(X, tf.float32), training=True))

    before = made.u.numpy()
    step()
    one, other = strategy.experimental_local_results(made.u.value)
    np.testing.assert_array_equal(one, other)
    assert np.abs(one - before).max() > 0.01


def test_a_copy_from_the_config_is_the_same():
    made = layer(size=1, gain=2.0, use_bias=False)
    copy = SpectralConv2D.from_config(made.get_config())
    copy.build(X.shape)
    copy.set_weights(made.get_weights())
    np.testing.assert_array_equal(copy(X), made(X))
    assert copy.get_config() == made.get_config()
