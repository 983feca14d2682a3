"""Robust accuracy, counted by NumPy where the best attack is known."""

import importlib

import keras
import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf.types import value
from tests import tiny
from tests.conformance import catalogue

RADIUS = 0.01
PGD = ij.attacks.PGD(ij.spaces.Linf(RADIUS, step=RADIUS / 2), steps=5)
IMAGES = tiny.random_images(25)
LABELS = np.random.default_rng(3).integers(0, 2, 25)
methods = ij.training.methods


def make_linear():
    """The linear classifier of `tiny` in Keras, which learns nothing."""
    weights, _ = tiny.make_linear()
    net = keras.Sequential(
        [
            keras.layers.Input(tiny.SHAPE),
            keras.layers.Flatten(),
            keras.layers.Dense(2),
        ]
    )
    kernel = np.stack([0 * weights.ravel(), weights.ravel()], axis=1)
    net.set_weights([kernel, np.array([0, -weights.sum() / 2])])
    model = ij.training.AdversarialModel(net, methods.Standard())
    model.compile(optimizer=keras.optimizers.SGD(0.0))
    return model


def counted() -> tuple[float, float]:
    """Clean and robust accuracy: no change moves w . x by more than this."""
    weights, _ = tiny.make_linear()
    margins = np.sum(weights * (IMAGES - 0.5), axis=(1, 2, 3))
    margins = np.where(LABELS == 1, margins, -margins)
    gain = RADIUS * np.abs(weights).sum()
    return np.mean(margins > 0), np.mean(margins > gain)


@pytest.mark.parametrize("soft", [False, True])
def test_every_sample_counts(tmp_path, soft):
    labels = np.eye(2, dtype="float32")[LABELS] if soft else LABELS
    path = tmp_path / "curve.csv"
    callback = ij.training.RobustAccuracy(
        PGD, (IMAGES, labels), every=2, batch_size=10, path=path
    )
    assert callback.curve == [] and callback.best() == -np.inf
    seen = []
    history = (
        make_linear()
        .fit(
            IMAGES,
            LABELS,
            epochs=5,
            verbose=0,
            callbacks=[
                callback,
                keras.callbacks.LambdaCallback(
                    on_epoch_end=lambda _, logs: seen.append(
                        "robust_accuracy" in logs
                    )
                ),
            ],
        )
        .history
    )
    clean, robust = counted()
    assert 0 < robust < clean < 1
    assert seen == [False, True, False, True, True]
    assert history["clean_accuracy"] == [clean] * 3
    assert history["robust_accuracy"] == [robust] * 3
    rows = np.genfromtxt(path, delimiter=",", names=True)
    np.testing.assert_array_equal(rows["epoch"], [2, 4, 5])
    np.testing.assert_array_equal(rows["clean_accuracy"], clean)
    np.testing.assert_array_equal(rows["robust_accuracy"], robust)
    assert callback.best() == robust


def test_what_it_says(capsys):
    callback = ij.training.RobustAccuracy(PGD, (IMAGES, LABELS))
    make_linear().fit(IMAGES, LABELS, verbose=1, callbacks=[callback])
    (line,) = [
        line
        for line in capsys.readouterr().out.splitlines()
        if line.startswith("epoch 1: ")
    ]
    clean, robust = counted()
    assert f" {100 * clean:.1f} % clean, {100 * robust:.1f} % under" in line
    assert f"under {PGD!r} of 25 images, " in line


def test_as_an_evaluation(classifier):
    classifier.compile("sgd", "sparse_categorical_crossentropy")
    data = IMAGES, LABELS
    callback = ij.training.RobustAccuracy(
        PGD, data, every=1, batch_size=10, seed=7
    )
    classifier.fit(*data, verbose=0, callbacks=[callback])
    records = ij.evaluation.evaluate(
        classifier, data, {"pgd": PGD}, batch_size=10, seed=7, verbose=False
    )
    (point,) = callback.curve
    assert point.clean_accuracy == np.mean(records["standard"].correct)
    assert point.robust_accuracy == np.mean(records["pgd"].correct)


def test_training_stays_as_it_was(tmp_path):
    data = IMAGES[:6], LABELS[:6]
    ball = ij.spaces.Linf(0.05)
    found = []
    for watched in (False, True):
        keras.utils.set_random_seed(0)
        net = tiny.make_classifier()
        net = keras.Sequential([*net.layers, keras.layers.Dropout(0.5)])
        net.build((None, *tiny.SHAPE))
        model = catalogue.make_model(
            methods.AT(ij.attacks.PGD(ball, steps=1)), net
        )
        attack = ij.attacks.PGD(ball, steps=2)
        model.fit(
            *data,
            batch_size=2,
            epochs=3,
            verbose=0,
            callbacks=[
                ij.training.RobustAccuracy(attack, data, every=1),
                ij.training.AdversarialImages(attack, data, tmp_path, every=1),
                ij.training.Checkpoint(tmp_path / "c.keras", "robust_accuracy"),
            ]
            * watched,
        )
        found.append([*model.get_weights(), np.random.get_state()[1]])
    for one, other in zip(*found):
        np.testing.assert_array_equal(one, other)


def test_it_is_traced_once():
    tracings = importlib.import_module("ijsat_tf.attacks.attack")._attack
    model = make_linear()

    def turn_round(*_):
        weights = model.classifier.get_weights()
        model.classifier.set_weights([-weight for weight in weights])

    turn = keras.callbacks.LambdaCallback(on_epoch_begin=turn_round)
    callback = ij.training.RobustAccuracy(
        ij.attacks.PGD(ij.spaces.Linf(RADIUS), steps=2),
        (IMAGES, LABELS),
        every=1,
        batch_size=5,
    )
    before = tracings.tracing_count()
    for _ in range(2):
        model.fit(
            IMAGES, LABELS, epochs=3, verbose=0, callbacks=[turn, callback]
        )
    assert tracings.tracing_count() == before + 1
    # And yet it sees the weights of its epoch.
    clean, _ = counted()
    found = [point.clean_accuracy for point in callback.curve]
    np.testing.assert_allclose(found, [clean, 1 - clean, clean])


@value
class Positive(ij.attacks.Attack):
    """Finds samples whose latents are positive."""

    def craft(self, logits_of, images, labels, seed, latents=None):
        first, second = latents
        success = (first[:, 0] > 0) & (second[:, 0] > 0)
        zeros = tf.zeros_like(first[:, 0])
        return ij.attacks.AttackResult(
            images, success, zeros, {}, tf.zeros_like(success)
        )


@pytest.mark.parametrize("kind", [list, tuple])
def test_latents_stay_with_their_images(kind):
    latents = np.random.default_rng(4).normal(size=(2, 25, 1)) + 0.5
    callback = ij.training.RobustAccuracy(
        Positive(),
        ({"image": IMAGES, "latent": kind(latents)}, LABELS),
        batch_size=10,
    )
    make_linear().fit(IMAGES, LABELS, verbose=0, callbacks=[callback])
    expected = 1 - np.mean((latents > 0).all(axis=0))
    assert callback.best() == pytest.approx(expected, abs=1e-12)


@pytest.mark.variant
def test_two_replicas(tmp_path):
    with tiny.two_replicas().scope():
        model = catalogue.make_model(methods.Standard())
    data = IMAGES[:7], LABELS[:7]
    callback = ij.training.RobustAccuracy(PGD, data, batch_size=4)
    model.fit(
        IMAGES[:6],
        LABELS[:6],
        batch_size=6,
        epochs=2,
        verbose=0,
        callbacks=[
            callback,
            ij.training.AdversarialImages(PGD, data, tmp_path / "events"),
            ij.training.Checkpoint(tmp_path / "c.keras", "robust_accuracy"),
        ],
    )
    net = keras.saving.load_model(tmp_path / "c.keras")
    records = ij.evaluation.evaluate(
        net, data, {"pgd": PGD}, batch_size=4, verbose=False
    )
    (point,) = callback.curve
    assert point.clean_accuracy == np.mean(records["standard"].correct)
    assert point.robust_accuracy == np.mean(records["pgd"].correct)
    assert list((tmp_path / "events").iterdir())


def test_a_resumed_run_continues_the_curve(tmp_path):
    path = tmp_path / "curve.csv"
    path.write_text(
        "epoch,clean_accuracy,robust_accuracy\n"
        "1,0.25,0.125\n2,0.5,0.25\n3,1.0,0.875\n4,1.0,1.0\n"
    )
    callback = ij.training.RobustAccuracy(
        PGD, (IMAGES, LABELS), every=1, path=path
    )
    assert callback.best() == 1.0
    callback.resume(3)
    assert callback.best() == 0.875
    make_linear().fit(
        IMAGES,
        LABELS,
        initial_epoch=2,
        epochs=4,
        verbose=0,
        callbacks=[callback],
    )
    clean, robust = counted()
    assert path.read_text().splitlines()[1:] == [
        "1,0.25,0.125",
        "2,0.5,0.25",
        f"3,{clean},{robust}",
        f"4,{clean},{robust}",
    ]
    assert callback.best() == max(0.25, robust)


def test_a_file_of_something_else(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("epoch,loss\n0,1.5\n")
    with pytest.raises(ValueError, match="must be a CSV file with the columns"):
        ij.training.RobustAccuracy(PGD, (IMAGES, LABELS), path=path)
    assert path.read_text() == "epoch,loss\n0,1.5\n"
