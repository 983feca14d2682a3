"""The file of weights equals Keras' own, and loads into its model alone."""

import h5py
import keras
import numpy as np
import pytest

import ijsat_tf as ij
from ijsat_tf.training.callbacks import weights_file
from tests.training.callbacks.backup_test import make_model


def stored(path):
    """All arrays of a file of HDF5, by their names."""
    numbers = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, each: (
                numbers.update({name: each[()]})
                if isinstance(each, h5py.Dataset)
                else None
            )
        )
    return numbers


@pytest.fixture
def written(tmp_path):
    """A model with an optimizer that has state, and its file."""
    model = make_model()
    model.optimizer.build(model.trainable_variables)
    for variable in model.optimizer.variables:
        if variable.shape:
            variable.assign(np.full(variable.shape, 0.5))
    path = tmp_path / "ours.weights.h5"
    path.write_bytes(weights_file.content(model))
    return model, path


def test_the_file_is_as_keras_writes_it(written, tmp_path):
    model, path = written
    model.save_weights(tmp_path / "keras.weights.h5")
    ours, expected = stored(path), stored(tmp_path / "keras.weights.h5")
    assert ours.keys() == expected.keys() and ours
    for name, numbers in expected.items():
        np.testing.assert_array_equal(ours[name], numbers)


def test_what_is_loaded_was_written(written):
    model, path = written
    other = make_model()
    weights_file.load(other, path)
    for one, two in (
        (model.weights, other.weights),
        (model.optimizer.variables, other.optimizer.variables),
    ):
        assert len(one) == len(two)
        for expected, found in zip(one, two):
            np.testing.assert_array_equal(found, expected)


def test_another_model_is_refused(written):
    _, path = written
    net = ij.models.small_cnn(3, width=4, image_shape=(8, 8, 2))
    with pytest.raises(ValueError, match="it is of another model: "):
        weights_file.load(make_model(net), path)
    other = make_model()
    other.compile(optimizer=keras.optimizers.Adam())
    with pytest.raises(ValueError, match="it is of another model: "):
        weights_file.load(other, path)
