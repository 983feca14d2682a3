"""Attacks and evaluation in a strategy's scope give one device's numbers."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from tests import tiny
from tests.conformance import catalogue

IMAGES = tiny.random_images(8)
LABELS = np.array([0, 1, 2, 0, 1, 2, 0, 1], "int32")
STRATEGIES = tf.distribute.get_strategy, tiny.two_replicas


@functools.cache
def networks(strategy):
    """A flow and a classifier, with the same weights under each strategy."""
    with strategy().scope():
        keras.utils.set_random_seed(0)
        return tiny.make_flow(), tiny.make_classifier()


def of_one_and_two(run):
    """What `run(flow, classifier)` gives on one device, and on two."""
    found = []
    for strategy in STRATEGIES:
        with strategy().scope():
            found.append(run(*networks(strategy)))
    return found


@pytest.mark.parametrize("name", catalogue.ATTACKS)
def test_attacks_of_even_and_uneven_batches(name):
    def attacked(flow, classifier):
        attack = catalogue.ATTACKS[name](flow)
        return [
            attack(classifier, IMAGES[:rows], LABELS[:rows], seed=3)
            for rows in (8, 7, 1)
        ]

    for one, two in zip(*of_one_and_two(attacked)):
        np.testing.assert_allclose(two.images, one.images, atol=1e-4)
        np.testing.assert_allclose(two.loss, one.loss, rtol=1e-4, atol=1e-6)
        np.testing.assert_array_equal(two.success, one.success)
        assert list(two.budget) == list(one.budget)
        for space, used in one.budget.items():
            np.testing.assert_allclose(two.budget[space], used, 1e-4, 1e-6)


def test_each_replica_attacks_its_rows():
    shapes = []

    def run(flow, classifier):
        def model(images):
            context = tf.distribute.get_replica_context()
            if context is not None:
                replica = tf.cast(context.replica_id_in_sync_group, tf.int32)
                tf.py_function(
                    lambda *seen: shapes.append(tuple(map(int, seen))),
                    [replica, tf.shape(images)[0]],
                    [],
                )
            return classifier(images)

        ij.attacks.FGSM(catalogue.BALL)(model, IMAGES[:7], LABELS[:7])

    with tiny.two_replicas().scope():
        run(*networks(tiny.two_replicas))
    assert set(shapes) == {(0, 4), (1, 4)}


def test_the_verdict_of_autoattack():
    ball = ij.spaces.Linf(0.01)
    attack = ij.attacks.AutoAttack(
        ball, "custom", attacks=("apgd-ce", "square"), batch_size=5
    )
    labels = networks(STRATEGIES[0])[1].predict(IMAGES, verbose=0).argmax(1)
    one, two = of_one_and_two(
        lambda flow, classifier: attack.run(
            classifier, IMAGES, labels, verbose=False
        )
    )
    for stage, alive in one.alive.items():
        np.testing.assert_array_equal(two.alive[stage], alive)
    np.testing.assert_allclose(two.images, one.images, atol=1e-5)
    np.testing.assert_allclose(two.loss, one.loss, rtol=1e-4)


def test_records():
    def records(flow, classifier):
        return ij.evaluation.evaluate(
            classifier,
            (IMAGES, LABELS),
            {"jsa": catalogue.ATTACKS["JointSpaceAttack"](flow)},
            batch_size=5,
            verbose=False,
        )

    one, two = of_one_and_two(records)
    for column, record in one.items():
        for name in ("attack", "model", "data", "networks"):
            assert getattr(two[column], name) == getattr(record, name)
        np.testing.assert_array_equal(two[column].correct, record.correct)
        for name in ("margin", "loss", "linf", "l2", "clipped"):
            np.testing.assert_allclose(
                getattr(two[column], name), getattr(record, name), 1e-4, 1e-5
            )


@pytest.mark.variant
def test_the_curve_of_robust_accuracy(tmp_path):
    curves = []
    for place, strategy in enumerate(STRATEGIES):
        with strategy().scope():
            model = catalogue.make_model(catalogue.METHODS["AT"](None))
        path = tmp_path / f"{place}.csv"
        callbacks = [
            ij.training.RobustAccuracy(
                catalogue.ATTACKS["PGD"](None),
                (IMAGES[:7], LABELS[:7]),
                every=1,
                batch_size=4,
                path=path,
            ),
            ij.training.AdversarialImages(
                catalogue.ATTACKS["PGD"](None),
                (IMAGES[:7], LABELS[:7]),
                tmp_path / f"events{place}",
                every=1,
            ),
        ]
        model.fit(
            IMAGES,
            LABELS,
            batch_size=8,
            epochs=2,
            shuffle=False,
            callbacks=callbacks,
            verbose=0,
        )
        curves.append(path.read_text())
    assert curves[0] == curves[1]
    assert len(curves[0].splitlines()) == 3
