"""Both ends of classifiers, by hand and by the statistics of weights."""

import contextlib

import keras
import numpy as np
import pytest

from ijsat_tf.models import ends

SHAPE = (4, 5, 3)
IMAGES = np.random.default_rng(0).random((6, *SHAPE)).astype("float32")


@contextlib.contextmanager
def narrow():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)


def test_images_are_standardised_channel_by_channel():
    mean, deviation = (0.5, 0.4, 0.3), (0.2, 0.3, 0.4)
    with narrow():
        model = keras.Model(*ends.images_in(SHAPE, (mean, deviation)))
    found = model(IMAGES)
    # More exactly than bfloat16 could.
    assert found.dtype == "float32"
    for channel in range(3):
        expected = (IMAGES[..., channel] - mean[channel]) / deviation[channel]
        np.testing.assert_allclose(found[..., channel], expected, atol=1e-5)
    assert not model.trainable_weights


def test_images_are_left_alone_without_statistics():
    inputs, images = ends.images_in(SHAPE)
    assert images is inputs
    assert inputs.shape == (None, *SHAPE) and inputs.name == "images"


def test_logits_are_float32_and_of_pytorchs_first_weights():
    """U(-1 / sqrt(D), 1 / sqrt(D)), for kernel and bias alike."""
    with narrow():
        inputs = keras.Input((64,))
        features = keras.layers.Dense(64)(inputs)
        model = keras.Model(inputs, ends.logits_out(features, 500))
    assert features.dtype == "bfloat16"
    layer = model.get_layer("logits")
    assert (model.output.dtype, model.output.shape) == ("float32", (None, 500))
    for weights in map(np.array, (layer.kernel, layer.bias)):
        limit = 1 / 8
        assert 0.98 * limit < np.abs(weights).max() <= limit
        deviation = limit / np.sqrt(3)
        np.testing.assert_allclose(weights.std(), deviation, rtol=0.05)
    x = np.random.default_rng(1).normal(size=(2, 64)).astype("float32")
    kernel, bias = map(np.float64, layer.get_weights())
    np.testing.assert_allclose(layer(x), x @ kernel + bias, atol=1e-5)


def test_kernels_start_by_their_inputs():
    kernels = [np.array(ends.fan_in_uniform()((3, 3, 16, 64))) for _ in "ab"]
    limit = 1 / np.sqrt(3 * 3 * 16)
    for kernel in kernels:
        assert 0.98 * limit < np.abs(kernel).max() <= limit
        np.testing.assert_allclose(kernel.var(), limit**2 / 3, rtol=0.05)
    assert np.abs(np.corrcoef(*map(np.ravel, kernels))[0, 1]) < 0.05


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("classes", 1),
        ("classes", 2.0),
        ("width", 0),
        ("width", 1.5),
        ("image_shape", (8, 8)),
        ("image_shape", (8, 0, 3)),
        ("image_shape", (None, 8, 3)),
        ("image_shape", None),
        ("image_shape", 32),
        ("image_shape", (8.0, 8, 3)),
    ],
)
def test_sizes_of_no_classifier_are_refused(name, value):
    sizes = {"classes": 2, "width": 1, "image_shape": (1, 2, 3)}
    assert ends.check_sizes(**sizes) is None
    sizes |= {"classes": np.int64(2), "image_shape": [1, 2, 3]}
    assert ends.check_sizes(**sizes) is None
    with pytest.raises(ValueError, match=f"`{name}` must be"):
        ends.check_sizes(**{**sizes, name: value})


@pytest.mark.parametrize(
    "value",
    [
        0.5,
        (0.5, 0.2),
        ([0.5, 0.5, float("inf")], [0.2] * 3),
        ([0.5] * 3, [0.2, float("nan"), 0.2]),
        ([0.5] * 3,),
        ([0.5] * 2, [0.2] * 2),
        ([0.5] * 3, [0.2, 0.2, 0.0]),
        ([0.5] * 3, [0.2, 0.2, -0.2]),
    ],
)
def test_statistics_of_no_images_are_refused(value):
    with pytest.raises(ValueError, match="`normalization` must be a pair"):
        ends.images_in(SHAPE, value)
