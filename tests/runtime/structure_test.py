"""A network equals itself until something that its graph holds changes."""

import keras
import numpy as np
import pytest
from keras import layers

from ijsat_tf.runtime.compiled import compiled
from ijsat_tf.runtime.structure import Structure

IMAGES = np.random.default_rng(0).random((4, 4, 4, 1)).astype("float32")


@pytest.fixture
def model():
    model = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            layers.Normalization(),
            layers.Flatten(),
            layers.Dense(3, name="dense"),
        ]
    )
    model.layers[0].adapt(IMAGES)
    return model


def test_training_and_calls_change_no_structure(model):
    before = Structure(model)
    model(IMAGES, training=False)
    model.compile("sgd", keras.losses.MeanSquaredError(), metrics=["mae"])
    model.fit(IMAGES, np.zeros((4, 3)), verbose=0)
    model.evaluate(IMAGES, np.zeros((4, 3)), verbose=0)
    model.predict(IMAGES, verbose=0)
    model.set_weights(model.get_weights())
    assert Structure(model) == before
    assert hash(Structure(model)) == hash(before)


CHANGES = {
    "lora": lambda model: model.get_layer("dense").enable_lora(2),
    "adapt": lambda model: model.layers[0].adapt(2 * IMAGES),
    "pop": lambda model: model.pop(),
    "add": lambda model: model.add(layers.ReLU()),
    "quantize": lambda model: model.get_layer("dense").quantize("int8"),
    "policy": lambda model: setattr(
        model.get_layer("dense"), "dtype_policy", "mixed_bfloat16"
    ),
    "function": lambda model: setattr(
        model.get_layer("dense"), "activation", keras.activations.relu
    ),
    "number": lambda model: setattr(model.get_layer("dense"), "scale", 2.0),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_a_graph_would_hold_changes_the_structure(model, name):
    before = Structure(model)
    CHANGES[name](model)
    assert Structure(model) != before


def test_two_networks_of_the_same_kind_differ(model):
    assert Structure(model) != Structure(keras.models.clone_model(model))


def test_a_cached_graph_is_made_anew_for_a_changed_network(model):
    @compiled
    def logits(model, images):
        return model(images, training=False)

    for _ in range(2):
        np.testing.assert_allclose(
            logits(model, IMAGES), model(IMAGES), atol=1e-6
        )
    assert logits.tracing_count() == 1
    model.layers[0].adapt(2 * IMAGES + 1)
    np.testing.assert_allclose(logits(model, IMAGES), model(IMAGES), atol=1e-6)
    assert logits.tracing_count() == 2
