"""The library's class of classifiers beside Keras' own."""

import h5py
import keras
import numpy as np
from keras import layers

from ijsat_tf.models import Classifier, preact_resnet18
from tests.models import reference

IMAGES = np.random.default_rng(0).random((4, 6, 6, 2), np.float32)


def make():
    """A network with two stages, and its twin of the same layers in Keras."""
    images = keras.Input(IMAGES.shape[1:], name="images")
    x = layers.Conv2D(3, 3, activation="relu", name="stage1")(images)
    x = layers.BatchNormalization(name="stage2")(x)
    x = layers.Dense(2, name="logits")(layers.Flatten()(x))
    model = Classifier(images, x, name="net")
    return model, keras.Model(model.input, model.output, name="net")


def names(path):
    found = []
    with h5py.File(path) as file:
        file.visit(found.append)
    return sorted(found)


def test_it_is_the_network_that_keras_makes_of_its_ends():
    model, twin = make()
    assert not isinstance(twin, Classifier)
    assert [*map(id, model.weights)] == [*map(id, twin.weights)]
    for training in (False, True):
        np.testing.assert_array_equal(
            model(IMAGES, training=training), twin(IMAGES, training=training)
        )


def test_its_stages_follow_one_another():
    model, _ = make()
    x = IMAGES
    for part, name in zip(model.stages, ["stage1", "stage2"]):
        x = part(x, training=False)
        expected = keras.Model(model.input, model.get_layer(name).output)
        np.testing.assert_array_equal(x, expected(IMAGES, training=False))
    np.testing.assert_array_equal(
        model.stages[-1](x, training=False), model(IMAGES, training=False)
    )


def test_a_file_of_weights_is_as_keras_writes_it(tmp_path):
    """Stages, which were made before, leave nothing in it."""
    model, twin = make()
    assert len(model.stages) == 3
    model.save_weights(tmp_path / "ours.weights.h5")
    twin.save_weights(tmp_path / "keras.weights.h5")
    found = names(tmp_path / "ours.weights.h5")
    assert found == names(tmp_path / "keras.weights.h5")
    _, fresh = make()
    fresh.load_weights(tmp_path / "ours.weights.h5")
    np.testing.assert_array_equal(fresh(IMAGES), twin(IMAGES))


def test_a_classifier_comes_back_with_its_stages(tmp_path):
    model = preact_resnet18(
        3,
        width=2,
        image_shape=IMAGES.shape[1:],
        normalization=([0.5] * 2, [0.2] * 2),
    )
    reference.randomize(model)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert type(again) is Classifier
    names = ["stem", *[f"stage{number}" for number in range(1, 5)], "logits"]
    assert [part.name for part in again.stages] == names
    x = IMAGES
    for part in again.stages:
        x = part(x)
    np.testing.assert_array_equal(x, model(IMAGES))
