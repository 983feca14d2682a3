"""The networks of SNGAN against NumPy."""

import keras
import numpy as np
import pytest

from ijsat_tf.generators import sngan_networks as networks
from tests.models import reference

SHAPE = (8, 8, 1)
FLOAT32 = keras.DTypePolicy("float32")
RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.uniform(-1, 1, (5, *SHAPE)).astype("float32")
LATENTS = RANDOM.normal(size=(3, 5)).astype("float32")


def relu(x):
    return np.maximum(x, 0)


def convolved(x, kernel, bias=0.0):
    edge = kernel.shape[0] // 2
    x = np.pad(x, ((0, 0), (edge, edge), (edge, edge), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(
        x, kernel.shape[:2], (1, 2)
    )
    return np.einsum("bhwcij,ijcf->bhwf", windows, kernel) + bias


def doubled(x):
    return x.repeat(2, axis=1).repeat(2, axis=2)


def halved(x):
    count, height, width, channels = x.shape
    return x.reshape(count, height // 2, 2, width // 2, 2, channels).mean(
        axis=(2, 4)
    )


def test_the_generator_is_that_of_the_source():
    model = networks.generator(SHAPE, 5, 6, FLOAT32)
    reference.randomize(model)

    def weights(name):
        return [
            np.float64(each) for each in model.get_layer(name).get_weights()
        ]

    def norm_relu(x, name):
        gamma, beta, mean, variance = weights(name)
        return relu(gamma * (x - mean) / np.sqrt(variance + 1e-5) + beta)

    dense = model.layers[1].get_weights()
    x = (LATENTS @ dense[0] + dense[1]).reshape(-1, 4, 4, 6)
    shortcut = convolved(doubled(x), *weights("block1_shortcut"))
    x = doubled(norm_relu(x, "block1_norm1"))
    x = convolved(x, *weights("block1_conv1"))
    x = norm_relu(x, "block1_norm2")
    x = convolved(x, *weights("block1_conv2")) + shortcut
    x = np.tanh(convolved(norm_relu(x, "norm"), *weights("pixels")))
    found = model(LATENTS, training=False)
    assert 0.1 < x.std()
    np.testing.assert_allclose(found, x, atol=1e-5)


def test_the_discriminator_is_that_of_the_source():
    model = networks.discriminator(SHAPE, 4, FLOAT32)
    reference.randomize(model)

    def conv(x, name):
        layer = model.get_layer(name)
        kernel, *bias, u = map(np.float64, layer.get_weights())
        bias, u = (u, bias) if np.ndim(u) == 1 else (bias, u)
        w = kernel.reshape(-1, layer.filters).T
        v = np.ravel(u) @ w
        sigma = np.linalg.norm(w @ v) / np.linalg.norm(v)
        return convolved(x, kernel / sigma) + (bias if len(bias) else 0)

    def residual(x, name):
        return conv(relu(conv(x, f"{name}_conv1")), f"{name}_conv2")

    x = np.float64(IMAGES)
    x = halved(residual(x, "block1")) + conv(halved(x), "block1_shortcut")
    for name in ("block2", "block3"):
        x = residual(relu(x), name) + x
    x = conv(relu(x).sum(axis=(1, 2), keepdims=True), "linear")
    found = model(IMAGES, training=False)
    np.testing.assert_allclose(found, x[:, 0, 0], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("n", [0, 1, 3, 6])
def test_sides_are_doublings_of_four_pixels(n):
    assert networks.doublings(4 * 2**n) == n


def test_ends_are_float32_under_mixed_precision():
    dtype = keras.DTypePolicy("mixed_bfloat16")
    generator = networks.generator(SHAPE, 5, 6, dtype)
    discriminator = networks.discriminator(SHAPE, 4, dtype)
    for model, last in ((generator, "norm"), (discriminator, "block3_conv2")):
        assert model.get_layer(last).output.dtype == "bfloat16"
        assert model.output.dtype == "float32"


def test_kernels_start_with_the_variance_of_xavier():
    """Twice as large in the 3x3 convolutions of blocks."""
    generator = networks.generator((8, 8, 3), 5, 32, FLOAT32)
    discriminator = networks.discriminator((8, 8, 32), 32, FLOAT32)
    for model in (generator, discriminator):
        for name, size, gain in (
            ("block1_conv1", 3, 2.0),
            ("block1_conv2", 3, 2.0),
            ("block1_shortcut", 1, 1.0),
        ):
            kernel = model.get_layer(name).get_weights()[0]
            assert kernel.shape == (size, size, 32, 32)
            variance = 2 * gain / (size**2 * (32 + 32))
            assert np.abs(kernel).max() <= np.sqrt(3 * variance)
            np.testing.assert_allclose(kernel.var(), variance, rtol=0.1)
