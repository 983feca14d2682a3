"""Resume = uninterrupted, to the bit, in the middle of an epoch."""

import signal

import keras
import numpy as np
import pytest

import ijsat_tf as ij
from tests import tiny
from tests.conformance import catalogue

DIGITS = ij.data.load("digits", "train").take(24)
SHAPE = (8, 8, 1)
NEW = {"Standard", "RandomizedLA", "FastPAT", "VAEGAN"}


@pytest.fixture(scope="session")
def digits_flow():
    keras.utils.set_random_seed(0)
    flow = ij.flows.Glow(SHAPE, levels=2, steps=1, hidden=8, bins=17)
    flow.initialize(DIGITS.scaled())
    return flow


def train(model, folder, stop=None):
    """One process' share of two epochs of three steps.

    Returns:
        What the files of a run would hold, from where this share began.
    """
    interruption = ij.training.Interruption()

    def count(batch, logs):
        if int(model.optimizer.iterations.numpy()) == stop:
            signal.raise_signal(signal.SIGTERM)

    backup = ij.training.Backup(folder, interruption=interruption)
    epoch, step = backup.restore(model)
    with interruption:
        logs = model.fit(
            ij.data.batches(
                DIGITS, 8, seed=0, first_epoch=epoch, first_step=step
            ),
            initial_epoch=epoch,
            epochs=2,
            steps_per_epoch=3,
            callbacks=[
                keras.callbacks.LambdaCallback(on_train_batch_end=count),
                backup,
            ],
            verbose=0,
            shuffle=False,
        ).history
    return logs, [variable.numpy() for variable in variables(model)]


def variables(model):
    return model.variables + model.optimizer.variables


def renewed(make):
    """A function that gives one model back as it was made.

    A new model would be traced again, which takes most of the time.
    """
    model = make()
    model.optimizer.build(model.trainable_variables)
    start = [variable.numpy() for variable in variables(model)]

    def renew():
        for variable, value in zip(variables(model), start, strict=True):
            variable.assign(value)
        return model

    return renew


def check(make, folder, stop=4, rel=0.0):
    logs, expected = train(make(), folder / "whole")
    halves = folder / "halves"
    with pytest.raises(ij.training.Interrupted, match="SIGTERM"):
        train(make(), halves, stop)
    rest, found = train(make(), halves)
    for name, each in logs.items():
        assert rest[name] == pytest.approx(each[stop // 3 :], rel=rel, abs=0)
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", catalogue.METHODS)
def test_methods(name, digits_flow, tmp_path):
    method = catalogue.METHODS[name](digits_flow)

    def make():
        keras.utils.set_random_seed(0)
        net = tiny.make_classifier(10, shape=SHAPE)
        return catalogue.make_model(method, net)

    # A new process has a new model, which holds nothing but its variables.
    check(make if name in NEW else renewed(make), tmp_path)


def test_glow(digits_flow, tmp_path):
    def make():
        flow = digits_flow.with_dtype("float32")
        flow.compile(optimizer=keras.optimizers.Adam(1e-3))
        return flow

    check(make, tmp_path)


@pytest.mark.parametrize("stop", [1, 3, 5])
def test_any_step(stop, tmp_path):
    """A signal at an epoch's last step waits for its end."""

    def make():
        net = tiny.make_classifier(10, shape=SHAPE)
        model = catalogue.make_model(ij.training.methods.Standard(), net)
        model.run_eagerly = True  # Tracing takes most of the time.
        return model

    check(make, tmp_path, stop)


@pytest.mark.sampled
@pytest.mark.parametrize("name", ["VAEGAN", "SNGAN"])
def test_gans(name, tmp_path):
    def make():
        keras.utils.set_random_seed(0)
        gan = getattr(ij.generators, name)(SHAPE, latent_size=5, width=4)
        gan.compile(keras.optimizers.Adam(1e-3), run_eagerly=True)
        return gan

    check(make, tmp_path)


def test_two_replicas(tmp_path):
    def make():
        with tiny.two_replicas().scope():
            net = tiny.make_classifier(10, shape=SHAPE)
            return catalogue.make_model(ij.training.methods.Standard(), net)

    # Each replica's metrics go on with half of what both had counted.
    check(make, tmp_path, rel=1e-6)
