"""Gradients that are scaled, and what is said where there are none."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf import losses
from ijsat_tf.attacks import gradients
from ijsat_tf.spaces import L2, Linf
from tests import tiny

LABELS = np.array([0, 1, 2, 0, 1, 2])
ONE_HOT = np.eye(3, dtype="float32")[LABELS]


def _cross_entropy(logits):
    return losses.cross_entropy(ONE_HOT, logits)


def test_the_direction_is_that_of_the_objective(images):
    model = tiny.make_classifier()
    images = tf.constant(images)
    found, values, logits = gradients.of_images(model, images, _cross_entropy)
    with tf.GradientTape() as tape:
        tape.watch(images)
        expected_logits = model(images)
        loss = _cross_entropy(expected_logits)
    expected = tape.gradient(loss, images)
    np.testing.assert_allclose(values, loss, rtol=1e-5)
    np.testing.assert_allclose(logits, expected_logits, rtol=1e-5, atol=1e-6)
    rows = [np.reshape(each, (6, -1)) for each in (found, expected)]
    rows = [row / np.linalg.norm(row, axis=1, keepdims=True) for row in rows]
    np.testing.assert_allclose(*rows, atol=1e-5)


@pytest.mark.sampled
@pytest.mark.parametrize("ball", [Linf(0.05), L2(0.6)])
@pytest.mark.parametrize("kind", [ij.attacks.PGD, ij.attacks.APGD])
def test_confident_samples_have_a_gradient_in_float16(ball, kind):
    images = np.random.default_rng(0).random((60, 8, 8, 3)).astype("float32")
    robust = []
    for policy in ("float32", "mixed_float16"):
        keras.utils.set_random_seed(0)
        model = keras.Sequential(
            [
                keras.Input((8, 8, 3)),
                keras.layers.Conv2D(8, 3, activation="relu", dtype=policy),
                keras.layers.Flatten(dtype=policy),
                keras.layers.Dense(4, dtype=policy),
            ]
        )
        # Of so many nats that the derivative by the logits is below 6e-8.
        model.layers[-1].kernel.assign(40 * model.layers[-1].kernel)
        labels = np.argmax(model(images), axis=1)
        result = kind(ball, steps=20)(model, images, labels)
        robust.append(1 - np.mean(result.success))
    np.testing.assert_allclose(*robust, atol=0.02)


def _rounding(model):
    return lambda images: model(tf.round(images * 255) / 255)


def _numpy(model):
    def call(images):
        logits = tf.numpy_function(
            lambda images: np.asarray(model(images)), [images], tf.float32
        )
        return tf.ensure_shape(logits, [None, 3])

    return call


@pytest.mark.parametrize("hide", [_rounding, _numpy])
@pytest.mark.parametrize(
    "attack",
    [
        ij.attacks.FGSM(Linf(0.05)),
        ij.attacks.PGD(Linf(0.05), steps=2),
        ij.attacks.MomentumPGD(Linf(0.05), steps=2),
        ij.attacks.APGD(Linf(0.05), steps=2),
        ij.attacks.FAB(Linf(0.05), steps=2, targets=2),
    ],
    ids=lambda attack: type(attack).__name__,
)
def test_a_network_without_gradient_is_told(hide, attack, images):
    model = hide(tiny.make_classifier())
    with pytest.warns(UserWarning, match="no gradient by its images.*Square"):
        result = attack(model, images, LABELS)
    assert np.isfinite(result.images).all()


def test_square_does_its_work_without_a_gradient(images):
    model = _rounding(tiny.make_classifier())
    labels = np.argmax(model(images), axis=1)
    square = ij.attacks.AutoAttack(
        Linf(0.3), version="custom", attacks=["square"]
    )
    with pytest.warns(UserWarning, match="gradient of the cross entropy is ze"):
        result = square(model, images, labels)
    assert np.mean(result.success) > 0


def test_a_network_of_keras_is_named(images):
    inputs = keras.Input(tiny.SHAPE)
    x = keras.layers.Flatten()(keras.ops.round(inputs))
    model = keras.Model(inputs, keras.layers.Dense(3)(x), name="rounded")
    attack = ij.attacks.FGSM(Linf(0.05))
    calls = [
        attack,
        tf.function(lambda *given: attack.adversarial(*given)),
        tf.function(attack.adversarial),
    ]
    for call in calls:
        with pytest.warns(
            UserWarning, match="network 'rounded' has no gradient"
        ) as caught:
            call(model, images, LABELS)
        # The line that is shown is the caller's.
        assert caught[0].filename == __file__
