"""The networks of VAE-GAN against NumPy."""

import keras
import numpy as np
import pytest

from ijsat_tf.generators import vaegan_networks as networks
from tests.models import reference

SHAPE = (8, 12, 2)
RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.random((3, *SHAPE)).astype("float32")
CODES = RANDOM.normal(size=(3, 5)).astype("float32")


def weights(model, kind):
    """The weights of each layer of a kind, in their order."""
    return [
        [np.float64(weight) for weight in layer.get_weights()]
        for layer in model.layers
        if isinstance(layer, kind)
    ]


def halved(x, kernel):
    """A convolution of stride 2, as many zeros on one side as on the other."""
    edge = kernel.shape[0] // 2 - 1
    x = np.pad(x, ((0, 0), (edge, edge), (edge, edge), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(
        x, kernel.shape[:2], (1, 2)
    )
    return np.einsum("bhwcij,ijcf->bhwf", windows[:, ::2, ::2], kernel)


def doubled(x, kernel):
    """Each pixel adds the kernel, 6x6, around the four that it becomes."""
    count, height, width, _ = x.shape
    y = np.zeros((count, 2 * height + 4, 2 * width + 4, kernel.shape[2]))
    for row in range(height):
        for column in range(width):
            y[:, 2 * row : 2 * row + 6, 2 * column : 2 * column + 6] += (
                np.einsum("bc,ijfc->bijf", x[:, row, column], kernel)
            )
    return y[:, 2:-2, 2:-2]


def norm_relu(x, gamma, beta, mean, variance):
    x = gamma * (x - mean) / np.sqrt(variance + 1e-5) + beta
    return np.maximum(x, 0)


def features(model, x):
    for (kernel,), norm in zip(
        weights(model, keras.layers.Conv2D),
        weights(model, keras.layers.BatchNormalization),
        strict=True,
    ):
        x = norm_relu(halved(x, kernel), *norm)
    return x.reshape(len(x), -1)


def make(build, *settings, shape=SHAPE):
    """A network with larger weights: the first ones are near 0."""
    model = build(shape, *settings, 4, "float32")
    reference.randomize(model)
    draws = np.random.default_rng(1)
    for weight in model.trainable_weights:
        weight.assign_add(draws.normal(size=weight.shape, scale=0.1))
    return model


def test_the_encoder_by_numpy():
    model = make(networks.encoder, 5)
    x = features(model, np.float64(IMAGES))
    assert x.shape == (3, 2 * 3 * 8)
    found = model(IMAGES, training=False)
    heads = weights(model, keras.layers.Dense)
    for each, (kernel, bias) in zip(found, heads, strict=True):
        expected = x @ kernel + bias
        assert np.std(expected, axis=0).min() > 1e-3
        np.testing.assert_allclose(each, expected, rtol=1e-4, atol=1e-5)


def test_the_discriminator_by_numpy():
    model = make(networks.discriminator)
    x = features(model, np.float64(IMAGES))
    for kernel, bias in weights(model, keras.layers.Dense):
        x = x @ kernel + bias
    assert np.std(x) > 1e-3
    found = model(IMAGES, training=False)
    np.testing.assert_allclose(found, x, rtol=1e-4, atol=1e-5)


def test_the_decoder_by_numpy():
    """From 4x6 pixels: half of them would be fewer than 3."""
    model = make(networks.decoder, 5, shape=(16, 24, 2))
    ((kernel, bias),) = weights(model, keras.layers.Dense)
    x = (CODES @ kernel + bias).reshape(3, 4, 6, 8)
    (first,), (last, bias) = weights(model, keras.layers.Conv2DTranspose)
    (norm,) = weights(model, keras.layers.BatchNormalization)
    x = doubled(norm_relu(doubled(x, first), *norm), last) + bias
    expected = 1 / (1 + np.exp(-x))
    assert np.std(expected, axis=0).max() > 0.02
    found = model(CODES, training=False)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("sides", "least", "expected"),
    [
        ((32, 32), 2, 4),
        ((32, 32), 3, 3),
        ((28, 28), 2, 2),  # 28, 14, 7
        ((8, 12), 2, 2),
        ((8, 32), 3, 1),
        ((7, 8), 2, 0),
        ((4, 4), 3, 0),
    ],
)
def test_sides_are_halved_while_even_and_large(sides, least, expected):
    assert networks.halvings((*sides, 3), least) == expected


def test_kernels_start_as_in_the_source():
    """N(0, 1e-6), or N(0, 2 / ((1 + a^2) fan_in)) with a = sqrt(2)."""
    shape, width = (16, 16, 8), 32
    encoder = networks.encoder(shape, 64, width, "float32")
    decoder = networks.decoder(shape, 64, width, "float32")
    discriminator = networks.discriminator(shape, width, "float32")
    for kernel, *_ in [
        *weights(encoder, keras.layers.Conv2D),
        *weights(decoder, (keras.layers.Dense, keras.layers.Conv2DTranspose)),
    ]:
        np.testing.assert_allclose(kernel.std(), 1e-3, rtol=0.05)
    for kernel, *_ in [
        *weights(encoder, keras.layers.Dense),
        *weights(discriminator, keras.layers.Conv2D),
        *weights(discriminator, keras.layers.Dense)[:1],
    ]:
        fan_in = np.prod(kernel.shape[:-1])
        expected = np.sqrt(2 / (3 * fan_in))
        np.testing.assert_allclose(kernel.std(), expected, rtol=0.05)
