"""Save = load, in this process and in a new one."""

import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from tests import tiny
from tests.conformance import catalogue


@pytest.mark.parametrize("name", catalogue.LAYERS)
def test_layers(name):
    layer = catalogue.LAYERS[name]()
    activations = tf.random.stateless_normal([2, 4, 4, 8], [0, 1])
    layer.build(activations.shape)
    for weight in layer.trainable_weights:
        weight.assign_add(0.05 * tf.ones_like(weight))
    copy = type(layer).from_config(layer.get_config())
    copy.build(activations.shape)
    copy.set_weights(layer.get_weights())
    for one, other in zip(
        layer.inverse_and_log_det(activations),
        copy.inverse_and_log_det(activations),
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        row
        for rows in (catalogue.SPACES, catalogue.ATTACKS, catalogue.METHODS)
        for row in rows.items()
    ],
)
def test_values(name, make, flow):
    original = make(flow)
    config = keras.saving.serialize_keras_object(original)
    copy = keras.saving.deserialize_keras_object(config)
    assert repr(copy) == repr(original)
    assert original == make(flow)


def test_glow(flow, images, tmp_path):
    flow.save(tmp_path / "flow.keras")
    copy = keras.saving.load_model(tmp_path / "flow.keras")
    np.testing.assert_array_equal(copy.log_prob(images), flow.log_prob(images))
    np.testing.assert_array_equal(
        copy.decode(copy.encode(images)), flow.decode(flow.encode(images))
    )


LOAD = """
import pathlib, sys
import keras, numpy as np
import ijsat_tf as ij

folder = pathlib.Path(sys.argv[1])
data = np.load(folder / "data.npz")
model = keras.saving.load_model(folder / "model.keras")
attack = model.method.attack
result = attack(model, data["images"], data["labels"], seed=5)
np.save(folder / "found.npy", result.images)
"""


def test_an_adversarial_model_in_a_new_process(flow, images, labels, tmp_path):
    method = catalogue.METHODS["IJSAT"](flow)
    model = catalogue.make_model(method)
    model.train_on_batch(images, labels)
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "data.npz", images=images, labels=labels)
    subprocess.run(
        [sys.executable, "-c", LOAD, str(tmp_path)],
        check=True,
        cwd=pathlib.Path(ij.__file__).parents[1],
        capture_output=True,
    )
    expected = method.attack(model, images, labels, seed=5).images
    found = np.load(tmp_path / "found.npy")
    assert np.mean(np.abs(found - expected) > 1e-5) < 0.01


def test_two_attacks_still_share_one_flow(images, labels, tmp_path):
    flow = tiny.make_flow()
    first = catalogue.ATTACKS["JointSpaceAttack"](flow)

    @ij.types.value
    class Two(ij.training.methods.AT):
        other: ij.attacks.Attack = None

    model = catalogue.make_model(
        Two(first, catalogue.ATTACKS["OnManifoldPGD"](flow))
    )
    model.save(tmp_path / "model.keras")
    method = keras.saving.load_model(tmp_path / "model.keras").method
    assert method.attack.flow is method.other.generator
    np.testing.assert_array_equal(
        method.attack.flow.log_prob(images), flow.log_prob(images)
    )


def test_training_goes_on_after_loading(flow, images, labels, tmp_path):
    model = catalogue.make_model(catalogue.METHODS["IJSAT"](flow), seed=2)
    model.train_on_batch(images, labels)
    model.save(tmp_path / "model.keras")
    copy = keras.saving.load_model(tmp_path / "model.keras")
    for each in (model, copy):
        each.train_on_batch(images, labels)
    for one, other in zip(
        model.classifier.get_weights(), copy.classifier.get_weights()
    ):
        np.testing.assert_allclose(one, other, atol=1e-5)
