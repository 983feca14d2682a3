"""Perceptual attacks against the same searches in NumPy, where features and
logits are linear, and what they keep on networks."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf import seeds
from ijsat_tf.attacks import (
    FastLagrangePerceptual,
    LagrangePerceptual,
    PerceptualPGD,
)
from ijsat_tf.attacks.perceptual.perceptual_ball import PerceptualBall
from tests import tiny

RANDOM = np.random.default_rng(0)
SHAPE = (3, 3, 1)
IMAGES = RANDOM.random((8, *SHAPE))
LABELS = np.array([0, 1, 2, 0, 1, 2, 0, 1])
# phi(x) = A x, with a Jacobian far from a multiple of the identity.
PHI = RANDOM.normal(size=(9, 12)) * np.linspace(0.3, 2, 9)[:, None]
WEIGHTS = RANDOM.normal(size=(9, 3), scale=0.5)
TARGETED = [False, True]


def flat(images):
    return tf.reshape(images, [-1, 9])


def model(images):
    return flat(images) @ tf.cast(WEIGHTS, images.dtype)


class Linear:
    """A distance whose features are linear in the image."""

    def prepare(self):
        return lambda images: flat(images) @ tf.cast(PHI, images.dtype)


def _start(seed):
    draw = seeds.derive(seeds.derive(seed), "start")
    return IMAGES + 0.01 * seeds.normal(tf.constant(IMAGES), draw).numpy()


def _margin(moved, targeted):
    """The margin of each row and its gradient."""
    logits = moved @ WEIGHTS
    own = np.eye(3)[LABELS]
    best = np.argmax(logits - 1e9 * own, axis=1)
    toward = np.eye(3)[best] - own
    sign = -1 if targeted else 1
    return sign * (logits * toward).sum(1), sign * toward @ WEIGHTS.T


def _length(rows):
    return np.linalg.norm(rows, axis=1, keepdims=True)


def _descend(moved, penalty, decay, cap, floor, targeted):
    """One step of the official code, for linear features."""
    bound, origin = 0.6, IMAGES.reshape(8, 9)
    gap = (moved - origin) @ PHI
    distance = _length(gap)
    margin, slope = _margin(moved, targeted)
    slope = slope * (margin < cap)[:, None]
    outside = distance > bound
    slope = slope - penalty * outside * (gap @ PHI.T) / distance
    direction = slope / (_length(slope) + 1e-8)
    rate = _length(0.1 * direction @ PHI) / 0.1
    step = bound * decay / (rate + floor)
    logits = moved @ WEIGHTS
    success = (logits.argmax(1) == LABELS) == targeted
    return np.clip(moved + step * direction, 0, 1), distance[:, 0], success


@pytest.mark.parametrize("targeted", TARGETED)
def test_fast_lagrange(targeted):
    moved = _start(3).reshape(8, 9)
    for t in range(6):
        moved, *_ = _descend(
            moved, 7 * 0.1 ** (1 - t / 6), 0.1 ** (t / 6), 1e9, 1e-4, targeted
        )
    attack = FastLagrangePerceptual(
        0.6, Linear(), steps=6, penalty=7, targeted=targeted
    )
    found = attack(model, IMAGES, LABELS, seed=3)
    np.testing.assert_allclose(flat(found.images), moved, atol=1e-5)
    used = _length((moved - IMAGES.reshape(8, 9)) @ PHI)[:, 0]
    np.testing.assert_allclose(found.budget["perceptual"], used, rtol=1e-4)
    assert np.any(used > 0.6)


@pytest.mark.parametrize("targeted", TARGETED)
def test_lagrange(targeted, monkeypatch):
    moved = _start(3).reshape(8, 9)
    penalty, live = np.full((8, 1), 0.01), np.ones(8, bool)
    for _ in range(4):
        for t in range(5):
            new, distance, success = _descend(
                moved, penalty, 0.1 ** (t / 5), 1, 1e-8, targeted
            )
            moved = np.where(live[:, None], new, moved)
            before = live
            live = live & ~(success & (distance <= 0.6))
        penalty[before & (distance >= 0.6)] *= 10
    # Some rest early, some never, and penalties differ.
    assert 0 < live.sum() < 8 and len(np.unique(penalty)) > 1
    monkeypatch.setattr(PerceptualBall, "project", lambda ball, images: images)
    attack = LagrangePerceptual(
        0.6, Linear(), steps=5, rounds=4, targeted=targeted
    )
    found = attack(model, IMAGES, LABELS, seed=3).images
    np.testing.assert_allclose(flat(found), moved, atol=1e-5)


def _ball(bound, view=None):
    images = tf.constant(IMAGES)
    features = Linear().prepare()
    view = view or (lambda images: (features(images), model(images)))
    return PerceptualBall(images, view(images)[0], view, bound)


@pytest.mark.parametrize("targeted", TARGETED)
def test_a_step_of_ppgd_in_closed_form(targeted):
    # The maximum of g v under |A v| = step is along (A A^T)^-1 g.
    start = IMAGES.reshape(8, 9)
    margin, slope = _margin(start, targeted)
    slope = slope * (margin < 1)[:, None]
    best = slope @ np.linalg.inv(PHI @ PHI.T)
    step = 2 * 0.01 / 4
    expected = start + step * np.divide(
        best, _length(best @ PHI), where=margin[:, None] < 1, out=0 * best
    )
    attack = PerceptualPGD(
        0.01, Linear(), steps=4, conjugate_steps=9, targeted=targeted
    )
    labels = tf.one_hot(LABELS, 3)
    found = attack.ascend(_ball(0.01), labels, tf.constant(IMAGES))
    np.testing.assert_allclose(flat(found), np.clip(expected, 0, 1), atol=1e-6)
    few = PerceptualPGD(0.01, Linear(), steps=4, targeted=targeted)
    found = few.ascend(_ball(0.01), labels, tf.constant(IMAGES))
    moved = _length((flat(found) - start) @ PHI)[:, 0]
    assert np.all(moved < step * 1.001)


def test_projection_leaves_what_is_inside_and_brings_back_the_rest():
    ball = _ball(0.3)
    change = RANDOM.normal(size=IMAGES.shape)
    change *= (np.linspace(0, 0.9, 8) / _length(flat(change) @ PHI).T)[
        0, :, None, None, None
    ]
    given = np.clip(IMAGES + change, 0, 1)
    found = ball.project(tf.constant(given)).numpy()
    before, after = ball.distance(tf.constant(given)), ball.distance(found)
    inside = before.numpy() <= 0.3
    assert 0 < inside.sum() < 8
    np.testing.assert_array_equal(found[inside], given[inside])
    assert np.all(after <= 0.3)
    assert found.min() >= 0 and found.max() <= 1


def test_projection_bisects_where_newton_does_not_arrive():
    def flatland(images):
        @tf.custom_gradient
        def features(images):
            rows = Linear().prepare()(images)
            return rows, lambda upstream: tf.zeros_like(images)

        return features(images), model(images)

    ball = _ball(0.3, flatland)
    given = np.clip(IMAGES + 0.5 * RANDOM.normal(size=IMAGES.shape), 0, 1)
    found = ball.project(tf.constant(given)).numpy()
    # The distance is linear on the line to the image.
    share = 0.3 / ball.distance(tf.constant(given)).numpy()
    share = np.floor(share * 2**10) / 2**10
    expected = IMAGES + share[:, None, None, None] * (given - IMAGES)
    np.testing.assert_allclose(found, expected, atol=1e-6)


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


@pytest.mark.parametrize("name", ATTACKS)
def test_layers_of_the_classifier_and_an_equal_distance_agree(name, foreign):
    labels = LABELS[:6]
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
    labels = LABELS[:6]
    one = ATTACKS["fast"]()(trained, PICTURES, labels)
    other = ATTACKS["fast"]()(classifier, PICTURES, labels)
    np.testing.assert_allclose(one.images, other.images, atol=1e-5)


@pytest.mark.parametrize("make", [lambda: model, lambda: keras.Sequential()])
def test_a_classifier_without_layers_needs_a_distance(make):
    with pytest.raises(ValueError, match="Without a `distance`"):
        ATTACKS["fast"]().craft(ij.attacks.as_logits(make()), None, None, None)


def test_a_classifier_without_stages_needs_their_names(foreign):
    with pytest.raises(ValueError, match="give `layers`, or a `distance`"):
        ATTACKS["ppgd"]()(foreign, PICTURES, LABELS[:6])


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
            "`layers` are the attacked classifier's",
        ),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
