"""What the five unforeseen attacks promise alike."""

import dataclasses
import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf.attacks import unseen
from tests import tiny

# Budgets that change much, and none that reaches what its images show.
ATTACKS = {
    "elastic": unseen.Elastic(1.0, steps=8, kernel=3, std=0.5),
    "jpeg": unseen.JPEG(2.0, steps=8),
    "jpeg, l2": unseen.JPEG(10.0, steps=8, norm="l2"),
    "jpeg, l1": unseen.JPEG(40.0, steps=8, norm="l1"),
    "fog": unseen.Fog(100.0, step=0.05, steps=8),
    "snow": unseen.Snow(0.3, step=0.05, steps=8),
    "gabor": unseen.Gabor(50.0, step=0.05, steps=8),
}
LABELS = np.zeros(6, int)


@pytest.fixture(scope="module")
def model():
    return tiny.make_linear()[1]


@pytest.fixture(scope="module")
def found(model):
    images = tiny.random_images()
    return {
        name: attack(model, images, LABELS, seed=1)
        for name, attack in ATTACKS.items()
    }


def loss_at_start(space, model, seed):
    """The summed loss before any update."""
    images = tf.constant(tiny.random_images())
    context = space.prepare(images, None)
    moved = space.apply(images, space.start(context, seed), context)
    logits = model(tf.clip_by_value(moved, 0, 1))
    return -np.sum(tf.nn.log_softmax(logits)[:, 0])


@pytest.mark.parametrize("name", ATTACKS)
def test_images_stay_in_range_and_budgets_are_kept(name, found):
    attack, result = ATTACKS[name], found[name]
    assert np.min(result.images) >= 0 and np.max(result.images) <= 1
    space, used = next(iter(result.budget.items()))
    assert space == type(attack).__name__.lower()
    assert used.shape == (6,)
    assert (0 < used.numpy()).all()
    assert (used <= attack.budget * (1 + 1e-5)).numpy().all()


@pytest.mark.parametrize("name", ATTACKS)
def test_the_loss_grows_and_for_a_target_falls(name, found, model):
    images = tiny.random_images()
    attack = ATTACKS[name]
    start = loss_at_start(attack.space, model, tf.constant([0, 1]))
    targeted = dataclasses.replace(attack, targeted=True)
    fallen = targeted(model, images, LABELS, seed=1)
    assert np.sum(found[name].loss) > start > np.sum(fallen.loss)


@pytest.mark.sampled
@pytest.mark.parametrize("name", ATTACKS)
def test_graphs_of_any_batch_size_give_the_same(name, found, model):
    images = tiny.random_images()

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, *tiny.SHAPE]),
            tf.TensorSpec([None], tf.int32),
        ]
    )
    def attacked(images, labels):
        return ATTACKS[name](model, images, labels, seed=1)

    whole = attacked(images, LABELS)
    np.testing.assert_allclose(whole.loss, found[name].loss, rtol=1e-3)
    part = attacked(images[:2], LABELS[:2])
    assert part.images.shape == (2, *tiny.SHAPE)


@pytest.mark.sampled
@pytest.mark.parametrize(
    "shape, reference", [((28, 28, 1), False), ((20, 32, 3), True)]
)
def test_other_images(shape, reference):
    images = tiny.random_images(2, shape)
    _, model = tiny.make_linear(shape)
    labels = np.zeros(2, int)
    for attack in ATTACKS.values():
        attack = dataclasses.replace(attack, steps=2, reference=reference)
        result = attack(model, images, labels)
        assert result.images.shape == (2, *shape)
        assert np.isfinite(result.images).all()
        changed = np.abs(result.images - images).max((1, 2, 3))
        assert (changed > 1e-3).all(), attack


# On a linear model JPEG's searches reach the one best point.
@pytest.mark.sampled
@pytest.mark.parametrize("name", ["elastic", "fog", "snow", "gabor"])
def test_seeds_decide(name, found, model):
    images = tiny.random_images()
    again = ATTACKS[name](model, images, LABELS, seed=1)
    np.testing.assert_array_equal(again.images, found[name].images)
    other = ATTACKS[name](model, images, LABELS, seed=2)
    assert np.any(other.images != found[name].images)


@pytest.mark.sampled
@pytest.mark.parametrize("name", ["elastic", "jpeg", "fog", "snow", "gabor"])
def test_searches_that_start_at_no_random_place(name, model):
    images = tiny.random_images()
    search = ij.attacks.Ascent(
        ATTACKS[name].space, steps=4, momentum=1.0, random_start=False
    )
    first = search(model, images, LABELS, seed=1)
    second = search(model, images, LABELS, seed=2)
    np.testing.assert_array_equal(first.images, second.images)
    start = loss_at_start(search.space, model, None)
    assert np.sum(first.loss) > start


@pytest.mark.parametrize(
    "attack, steps, expected",
    [
        (unseen.Elastic(0.5), 200, 0.5 / 200**0.5),
        (unseen.JPEG(0.25), 16, 0.0625),
        (unseen.Fog(128.0), 200, 0.002236),
        (unseen.Snow(0.0625), 200, 0.002236),
        (unseen.Gabor(12.5), 50, 0.004472),
        (unseen.Gabor(12.5, step=0.1), 50, 0.1),
    ],
)
def test_default_steps(attack, steps, expected):
    step = attack.space.with_steps(steps).step
    np.testing.assert_allclose(step, expected, rtol=1e-3)


def test_a_space_and_its_attack_are_saved_apart():
    for name in ("Elastic", "JPEG", "Fog", "Snow", "Gabor"):
        for package in (ij.spaces, ij.attacks):
            value = getattr(package, name)(1.0)
            config = keras.saving.serialize_keras_object(value)
            read = keras.saving.deserialize_keras_object(config)
            assert type(read) is getattr(package, name)


@pytest.mark.parametrize("name", ["Elastic", "JPEG", "Fog", "Snow", "Gabor"])
def test_an_attack_has_its_space_s_settings(name):
    attack, space = getattr(ij.attacks, name), getattr(ij.spaces, name)
    own = {"steps", "targeted"}
    settings = {*inspect.signature(attack).parameters}
    assert settings - own == {*inspect.signature(space).parameters}
    with pytest.raises(ValueError, match="`budget` must be a number"):
        attack(-1.0)
