"""What users give for a model: taken, or told what to give."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf.models.as_logits import as_logits
from ijsat_tf.spaces import Linf
from tests import tiny

IMAGES = tiny.random_images()
LABELS = np.array([0, 1, 2, 0, 1, 2])
FEATURES = keras.layers.Flatten()(INPUTS := keras.Input(tiny.SHAPE))


def _heads(*units):
    return [keras.layers.Dense(each)(FEATURES) for each in units]


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    model = tiny.make_classifier()
    folder = str(tmp_path_factory.mktemp("exported"))
    model.export(folder, verbose=False)
    return model, folder


@pytest.mark.parametrize("form", [list, tuple, lambda x: {"logits": x[0]}])
def test_a_single_entry_is_taken(form):
    model = tiny.make_classifier()
    logits = as_logits(lambda images: form([model(images)]))(IMAGES)
    np.testing.assert_array_equal(logits, model(IMAGES))


def test_models_with_several_outputs_are_told_what_to_give():
    named = dict(zip(("logits", "box"), _heads(3, 2)))
    for outputs, shown in ((named, "'logits', 'box'"), (_heads(3, 2), "2")):
        model = keras.Model(INPUTS, outputs)
        with pytest.raises(ValueError, match=f"one output.*outputs .*{shown}"):
            ij.attacks.FGSM(Linf(0.1))(model, IMAGES, LABELS)


def test_a_saved_model_is_attacked_through_its_endpoints(exported):
    model, folder = exported
    loaded = tf.saved_model.load(folder)
    expected = ij.attacks.PGD(Linf(0.1), steps=2)(model, IMAGES, LABELS)
    for call in (
        loaded.serve,
        loaded.signatures["serving_default"],
        keras.layers.TFSMLayer(folder, call_endpoint="serving_default"),
    ):
        found = ij.attacks.PGD(Linf(0.1), steps=2)(call, IMAGES, LABELS)
        np.testing.assert_allclose(found.loss, expected.loss, rtol=1e-4)
    with pytest.raises(ValueError, match="loaded.serve"):
        ij.attacks.FGSM(Linf(0.1))(loaded, IMAGES, LABELS)


def test_predict_is_told_to_be_the_model():
    model = tiny.make_classifier()
    with pytest.raises(ValueError, match="the Keras model itself.*predict"):
        ij.attacks.Square(Linf(0.1), queries=2)(model.predict, IMAGES, LABELS)


@pytest.mark.parametrize(
    "arrays",
    [
        lambda model, images: model.predict(images, verbose=0),
        lambda model, images: np.asarray(model(np.asarray(images))),
    ],
)
def test_a_function_of_arrays_is_told_what_to_be(arrays):
    model = tiny.make_classifier()
    square = ij.attacks.Square(Linf(0.1), queries=2)
    with pytest.raises(ValueError, match="give the Keras model itself"):
        square(lambda images: arrays(model, images), IMAGES, LABELS)


def test_a_shape_that_is_not_known_is_told_how_to_be():
    model = tiny.make_classifier()

    def call(images):
        return tf.numpy_function(
            lambda images: np.asarray(model(images)), [images], tf.float32
        )

    square = ij.attacks.Square(Linf(0.1), queries=2)
    with pytest.raises(ValueError, match="tf.ensure_shape.*shape <unknown>"):
        square(call, IMAGES, LABELS)
    shaped = square(
        lambda images: tf.ensure_shape(call(images), [None, 3]), IMAGES, LABELS
    )
    same = square(model, IMAGES, LABELS)
    np.testing.assert_array_equal(shaped.success, same.success)
