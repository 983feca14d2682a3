"""Stems against NumPy, and the plan of stages against one made by hand."""

import keras
import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from ijsat_tf.models import residual
from tests.models import reference
from tests.models.resnet_test import convolution_norm

RANDOM = np.random.default_rng(0)


def make_stem(shape, stem, **settings):
    inputs = keras.Input(shape)
    outputs = residual.stem_out(inputs, 4, stem, **settings)
    model = keras.Model(inputs, outputs)
    reference.randomize(model)
    return model, RANDOM.random((2, *shape), np.float32)


def test_the_imagenet_stem_is_its_definition():
    model, images = make_stem((17, 16, 3), "imagenet")
    x = np.maximum(convolution_norm(model, "stem", images, 2), 0)
    x = np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)], constant_values=-np.inf)
    windows = sliding_window_view(x, (3, 3), axis=(1, 2))[:, ::2, ::2]
    np.testing.assert_allclose(
        model(images), windows.max((-1, -2)), rtol=1e-4, atol=1e-5
    )


def test_the_cifar_stem_is_its_definition():
    model, images = make_stem((7, 6, 3), "cifar")
    x = np.maximum(convolution_norm(model, "stem", images, 1), 0)
    np.testing.assert_allclose(model(images), x, rtol=1e-4, atol=1e-5)
    assert model.layers[-1].name == "stem"


def test_a_bare_stem_is_linear():
    """A convolution alone, of the side that the images have."""
    model, images = make_stem((7, 6, 3), "cifar", bare=True)
    (weight,) = model.weights
    weight.assign(np.ones((3, 3, 3, 4)))
    padded = np.pad(images.sum(-1), [(0, 0), (1, 1), (1, 1)])
    sums = sliding_window_view(padded, (3, 3), axis=(1, 2)).sum((-1, -2))
    assert model.output.shape == (None, 7, 6, 4)
    for channel in range(4):
        np.testing.assert_allclose(
            model(-images)[..., channel], -sums, rtol=1e-5
        )
    assert model.layers[-1].name == "stem"


@pytest.mark.parametrize("stem", ["cifar", "imagenet"])
def test_kernels_start_as_they_are_told(stem):
    inputs = keras.Input((8, 8, 3))
    outputs = residual.stem_out(inputs, 4, stem, keras.initializers.Ones)
    model = keras.Model(inputs, outputs)
    (kernel,) = model.get_layer("stem_convolution").get_weights()
    side = {"cifar": 3, "imagenet": 7}[stem]
    np.testing.assert_array_equal(kernel, np.ones((side, side, 3, 4)))


def test_blocks_have_the_channels_strides_and_names_of_the_plan():
    def block(x, channels, stride, name):
        made.append((name, channels, stride))
        return x + [name]

    made = []
    names = residual.stages_out(["stem"], block, (3, 1, 2), 16)
    assert made == [
        ("stage1_block1", 16, 1),
        ("stage1_block2", 16, 1),
        ("stage1", 16, 1),
        ("stage2", 32, 2),
        ("stage3_block1", 64, 2),
        ("stage3", 64, 1),
    ]
    # Each takes what the one before has made.
    assert names == ["stem", *[name for name, *_ in made]]


def test_another_stem_is_refused():
    with pytest.raises(ValueError, match="'cifar' or 'imagenet'.*'mnist'"):
        residual.stem_out(keras.Input((8, 8, 3)), 4, "mnist")
