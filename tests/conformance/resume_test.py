"""Resume = uninterrupted."""

import keras
import numpy as np
import pytest

import ijsat_tf as ij
from tests import tiny
from tests.conformance import catalogue

DIGITS = ij.data.load("digits", "train").take(24)
SHAPE = (8, 8, 1)


@pytest.fixture(scope="module")
def digits_flow():
    flow = ij.flows.Glow(SHAPE, levels=2, steps=1, hidden=8, bins=17)
    flow.initialize(DIGITS.scaled())
    return flow


def train(model, folder, epochs):
    """One process' share of a run: what is saved is continued."""
    checkpoint = ij.training.Checkpoint(folder / "checkpoint.weights.h5")
    first = checkpoint.restore(model) // 3
    model.fit(
        ij.data.batches(DIGITS, 8, seed=0, first_epoch=first),
        initial_epoch=first,
        epochs=epochs,
        steps_per_epoch=3,
        callbacks=[checkpoint],
        verbose=0,
        shuffle=False,
    )
    return model.get_weights()


def check(make, folder):
    whole, halves = folder / "whole", folder / "halves"
    whole.mkdir()
    halves.mkdir()
    expected = train(make(), whole, epochs=2)
    train(make(), halves, epochs=1)
    for one, other in zip(expected, train(make(), halves, epochs=2)):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("name", catalogue.METHODS)
def test_methods(name, digits_flow, tmp_path):
    method = catalogue.METHODS[name](digits_flow)

    def make():
        keras.utils.set_random_seed(0)
        net = tiny.make_classifier(10, shape=SHAPE)
        return catalogue.make_model(method, net)

    check(make, tmp_path)


def test_glow(digits_flow, tmp_path):
    def make():
        flow = digits_flow.with_dtype("float32")
        flow.compile(optimizer=keras.optimizers.Adam(1e-3))
        return flow

    check(make, tmp_path)
