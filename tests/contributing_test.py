"""The space, the attack and the method of CONTRIBUTING.md run as they stand."""

import pathlib
import re

import keras
import numpy as np
import pytest

import ijsat_tf as ij

PAGE = pathlib.Path(__file__).resolve().parents[1] / "CONTRIBUTING.md"
SHAPE = (4, 4, 1)
BLOCKS = re.findall(
    r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
)


@pytest.fixture(scope="module")
def names():
    """What the page defines."""
    found = {"__name__": "contributing"}
    for block in BLOCKS:
        exec(block, found)
    return found


def brightness():
    """Logits (0, the sum of all pixels - 4): dark images are of class 0."""
    dense = keras.layers.Dense(2)
    net = keras.Sequential([keras.Input(SHAPE), keras.layers.Flatten(), dense])
    dense.set_weights([np.tile([0.0, 1.0], (16, 1)), np.array([0.0, -4.0])])
    return net


def test_the_attack_finds_the_worst_case_of_a_linear_network(names):
    shares = np.array([0.2, 0.3, 0.5, 0.9], "float32")
    images = np.tile(shares[:, None, None, None], (1, *SHAPE))
    result = names["Shading"](radius=0.4)(brightness(), images, np.ones(4))
    np.testing.assert_allclose(result.images, 0.6 * images, rtol=1e-6)
    np.testing.assert_array_equal(result.success, 16 * 0.6 * shares < 4)
    np.testing.assert_allclose(result.budget["shade"], 0.4, rtol=1e-6)


def test_random_search_finds_the_maximum_of_its_draws(names):
    images = np.full((2000, 1, 1, 1), 0.5, "float32")
    dense = keras.layers.Dense(2)
    net = keras.Sequential(
        [keras.Input((1, 1, 1)), keras.layers.Flatten(), dense]
    )
    dense.set_weights([np.array([[0.0, 1.0]]), np.zeros(2)])
    attack = names["RandomSearch"](ij.spaces.Linf(0.2), steps=3)
    result = attack(net, images, np.zeros(2000, "int32"))
    change = np.ravel(result.images) - 0.5
    # The largest of 0 and three uniform draws u: E max(0, u) is 0.2 times the
    # integral of t 3/2 ((1 + t) / 2)^2 from 0 to 1.
    mean = 0.2 * 3 / 8 * (1 / 2 + 2 / 3 + 1 / 4)
    assert abs(change.mean() - mean) < 5 * 0.2 * 0.4 / 2000**0.5
    np.testing.assert_allclose(result.budget["pixels"], change, atol=1e-6)
    assert 0 <= change.min() and change.max() <= 0.2 + 1e-6


def test_the_method_trains(names):
    draws = np.random.default_rng(0)
    images = draws.random((64, *SHAPE)).astype("float32")
    labels = (images.mean((1, 2, 3)) > 0.5).astype("int64")
    model = ij.training.AdversarialModel(brightness(), names["Mixed"](tau=0.2))
    model.compile(keras.optimizers.SGD(0.01))
    losses = model.fit(images, labels, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
