"""What perceptual attacks keep on networks, and what they refuse."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf.attacks import (
    FastLagrangePerceptual,
    LagrangePerceptual,
    PerceptualPGD,
)
from tests import tiny
from tests.attacks.perceptual.perceptual_ball_test import Linear, model

LABELS = np.array([0, 1, 2, 0, 1, 2])


CLASSES = [2, 10, 100]
ATTACKS = {
    "fast": lambda **given: FastLagrangePerceptual(0.3, steps=2, **given),
    "lagrange": lambda **given: LagrangePerceptual(0.3, steps=2, **given),
    "ppgd": lambda **given: PerceptualPGD(0.3, steps=2, **given),
}
# Black and white pixels, too.
PICTURES = np.random.default_rng(1).uniform(-0.5, 1.5, (6, *tiny.SHAPE))
PICTURES = np.clip(PICTURES, 0, 1).astype("float32")


@pytest.fixture(scope="module", params=CLASSES)
def network(request):
    keras.utils.set_random_seed(0)
    return ij.models.small_cnn(request.param, 8, tiny.SHAPE)


@pytest.mark.sampled
@pytest.mark.parametrize("name", ATTACKS)
def test_what_the_result_says(name, network):
    labels = np.argmax(network(PICTURES), 1)
    result = ATTACKS[name]()(network, PICTURES, labels)
    assert np.min(result.images) >= 0 and np.max(result.images) <= 1
    logits = network(result.images).numpy()
    np.testing.assert_array_equal(result.success, logits.argmax(1) != labels)
    np.testing.assert_allclose(
        result.loss,
        keras.losses.sparse_categorical_crossentropy(labels, logits, True),
        rtol=1e-4,
    )
    used = ij.models.PerceptualDistance(network)(PICTURES, result.images)
    np.testing.assert_allclose(result.budget["perceptual"], used, rtol=1e-4)
    assert list(result.budget) == ["perceptual"]
    if name != "fast":
        assert np.max(used) <= 0.3 + 1e-5
    clean = keras.losses.sparse_categorical_crossentropy(
        labels, network(PICTURES), True
    )
    assert np.all(result.loss > clean)


@pytest.fixture(scope="module")
def foreign():
    """A classifier whose layers have names of their own."""
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input(tiny.SHAPE),
            keras.layers.Conv2D(8, 3, activation="relu", name="a"),
            keras.layers.BatchNormalization(),
            keras.layers.Conv2D(8, 3, activation="relu", name="b"),
            keras.layers.Flatten(),
            keras.layers.Dense(3),
        ]
    )


@pytest.mark.sampled
@pytest.mark.parametrize("name", ATTACKS)
def test_layers_of_the_classifier_and_an_equal_distance_agree(name, foreign):
    labels = LABELS
    own = ATTACKS[name](layers=["a", "b"])(foreign, PICTURES, labels)
    distance = ij.models.PerceptualDistance(foreign, ["a", "b"])
    given = ATTACKS[name](distance=distance)(foreign, PICTURES, labels)
    np.testing.assert_allclose(own.loss, given.loss, rtol=1e-3)
    np.testing.assert_allclose(
        own.budget["perceptual"], given.budget["perceptual"], rtol=1e-3
    )


def test_of_soft_labels_the_heaviest_class_counts(foreign):
    soft = np.float32([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1], [0.2, 0.3, 0.5]] * 2)
    attack = ATTACKS["fast"](layers=["a"])
    hard = attack(foreign, PICTURES, soft.argmax(1))
    found = attack(foreign, PICTURES, soft)
    np.testing.assert_array_equal(found.images, hard.images)
    np.testing.assert_array_equal(found.success, hard.success)
    logs = tf.nn.log_softmax(foreign(found.images))
    np.testing.assert_allclose(found.loss, -np.sum(soft * logs, 1), rtol=1e-4)


def test_a_model_in_training_is_its_classifier():
    classifier = tiny.make_classifier()
    trained = ij.training.AdversarialModel(
        classifier, ij.training.methods.AT(ATTACKS["fast"]())
    )
    labels = LABELS
    one = ATTACKS["fast"]()(trained, PICTURES, labels)
    other = ATTACKS["fast"]()(classifier, PICTURES, labels)
    np.testing.assert_allclose(one.images, other.images, atol=1e-5)


@pytest.mark.parametrize("make", [lambda: model, lambda: keras.Sequential()])
def test_a_classifier_without_layers_needs_a_distance(make):
    with pytest.raises(ValueError, match="Without a `distance`"):
        ATTACKS["fast"]().craft(ij.attacks.as_logits(make()), None, None, None)


def test_a_classifier_without_stages_needs_their_names(foreign):
    with pytest.raises(ValueError, match="give `layers`, or a `distance`"):
        ATTACKS["ppgd"]()(foreign, PICTURES, LABELS)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PerceptualPGD(-0.1), "`bound` must be a number"),
        (lambda: PerceptualPGD("0.1"), "`bound` must be a number"),
        (lambda: PerceptualPGD(steps=0), "`steps` must be an integer"),
        (lambda: PerceptualPGD(conjugate_steps=0), "`conjugate_steps` must"),
        (lambda: LagrangePerceptual(rounds=1.5), "`rounds` must be an integer"),
        (lambda: FastLagrangePerceptual(penalty=-1), "`penalty` must be a"),
        (lambda: PerceptualPGD(0.1, "self"), "`distance` must be None or"),
        (
            lambda: PerceptualPGD(0.1, Linear(), layers=["a"]),
            "`layers` must be None with a `distance`",
        ),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
