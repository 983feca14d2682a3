"""What TensorFlow loads of an exported model, without this library."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from tests import tiny

generators = ij.generators


def make_stylegan():
    generator = generators.StyleGAN(8, latent_size=5, width=6)
    for weight in generator.weights:
        draws = np.random.default_rng(0).normal(size=weight.shape, scale=0.1)
        weight.assign(draws)
    return generator


MODELS = {
    "Glow": tiny.make_flow,
    "Glow, float64": lambda: tiny.make_flow("float64"),
    "VAEGAN": lambda: generators.VAEGAN((8, 8, 2), latent_size=3, width=4),
    "SNGAN": lambda: generators.SNGAN((8, 8, 2), 5, 6, 4),
    "StyleGAN": make_stylegan,
}


@pytest.mark.sampled
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("used", [False, True])
def test_a_saved_model_gives_the_same_numbers(name, used, tmp_path):
    model = MODELS[name]()
    shape, dtype = model.input_shape[1:], model.variable_dtype
    inputs = np.random.default_rng(0).random((5, *shape)).astype(dtype)
    if used:
        model.predict(inputs, verbose=0)
        model(inputs)
    model.export(tmp_path, verbose=False)
    loaded = tf.saved_model.load(tmp_path)
    for count in (5, 1):
        np.testing.assert_allclose(
            loaded.serve(inputs[:count]), model(inputs[:count]), rtol=1e-4
        )


def test_a_flow_after_fit(tmp_path):
    flow = tiny.make_flow()
    flow.compile("sgd")
    flow.fit(tiny.random_images(), verbose=0)
    flow.export(tmp_path, verbose=False)
    images = tiny.random_images()
    loaded = tf.saved_model.load(tmp_path)  # Holds the variables.
    found = loaded.serve(images)
    np.testing.assert_allclose(found, flow(images), rtol=1e-4)


def test_another_signature(tmp_path):
    flow = tiny.make_flow()
    signature = [keras.InputSpec(shape=(2, *tiny.SHAPE), dtype="float32")]
    flow.export(tmp_path, verbose=False, input_signature=signature)
    images = tiny.random_images(2)
    loaded = tf.saved_model.load(tmp_path)  # Holds the variables.
    found = loaded.serve(images)
    np.testing.assert_allclose(found, flow(images), rtol=1e-4)
