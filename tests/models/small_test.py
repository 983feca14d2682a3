"""The small network, layer by layer."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.models.small import small_cnn


def test_layers_have_the_stated_widths():
    model = small_cnn(10)
    kernels = [3 * 3 * 1 * 32, 3 * 3 * 32 * 32, 3 * 3 * 32 * 64, 3 * 3 * 64**2]
    biases = [32, 32, 64, 64]
    dense = 4 * 4 * 64 * 10 + 10
    assert model.count_params() == sum(kernels) + sum(biases) + dense


def test_it_learns_two_kinds_of_stripes():
    keras.utils.set_random_seed(0)
    phase = np.random.default_rng(0).random((64, 1, 1, 1))
    wave = np.sin(2 * np.pi * (np.arange(8).reshape(1, 8, 1, 1) / 4 + phase))
    stripes = np.broadcast_to(wave / 2 + 0.5, (64, 8, 8, 1))
    images = np.concatenate([stripes, stripes.transpose(0, 2, 1, 3)])
    labels = np.repeat([0, 1], 64)
    model = small_cnn(2, width=8)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    model.fit(images, labels, epochs=4, verbose=0)
    assert model.evaluate(images, labels, verbose=0)[1] == 1


def test_logits_are_float32_under_mixed_precision():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = small_cnn(3, width=2, image_shape=(5, 7, 3))
    finally:
        keras.config.set_dtype_policy(policy)
    logits = model(np.zeros((2, 5, 7, 3), np.float32))
    assert (logits.shape, logits.dtype) == ((2, 3), tf.float32)


def test_a_saved_network_comes_back(tmp_path):
    model = small_cnn(3, width=2)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    images = np.random.default_rng(0).random((2, 8, 8, 1), np.float32)
    np.testing.assert_array_equal(again(images), model(images))


@pytest.mark.parametrize(
    "settings", [{"classes": 1}, {"width": 0}, {"image_shape": (8, 8)}]
)
def test_what_is_no_network_is_refused(settings):
    (name,) = settings
    with pytest.raises(ValueError, match=f"`{name}` must be"):
        small_cnn(**{"classes": 3, **settings})
