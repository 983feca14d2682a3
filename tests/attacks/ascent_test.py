"""The search against the same search in NumPy, on a linear classifier."""

import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf import seeds
from ijsat_tf.attacks.gradients import finite
from ijsat_tf.spaces import L2, Linf, Pixels

SHAPE = (4, 4, 2)
RANDOM = np.random.default_rng(0)
# Some pixels are black or white, where the projection cuts.
IMAGES = RANDOM.random((6, *SHAPE)).astype("float32")
IMAGES[:, ::2] = np.round(IMAGES[:, ::2])
MIDDLE = np.median(IMAGES.mean((1, 2, 3)))
LABELS = np.array([0, 1, 2, 0, 1, 2])
WEIGHTS = RANDOM.normal(size=(32, 3), scale=0.5).astype("float32")


def model(images):
    return tf.reshape(images, [-1, 32]) @ WEIGHTS


def _softmax(images):
    logits = images.reshape(-1, 32).astype("float64") @ WEIGHTS
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def _each(numbers):
    """One number per sample, to multiply images with."""
    return numbers[:, None, None, None]


def _by_hand(ball, steps, start=0.0, momentum=0.0, sign=1):
    change = start + np.zeros(IMAGES.shape)
    velocity = 0
    for _ in range(steps):
        slope = _softmax(np.clip(IMAGES + change, 0, 1)) - np.eye(3)[LABELS]
        slope = sign * (slope @ WEIGHTS.T).reshape(IMAGES.shape)
        if momentum:
            length = _each(np.abs(slope).sum((1, 2, 3)))
            slope = velocity = momentum * velocity + slope / length
        if isinstance(ball, Linf):
            change += ball.step * np.sign(slope)
            change = np.clip(change, -ball.radius, ball.radius)
        else:
            length = np.sqrt((slope**2).sum((1, 2, 3)))
            change += ball.step * slope / _each(length)
            length = np.sqrt((change**2).sum((1, 2, 3)))
            change *= _each(np.minimum(1, ball.radius / length))
        change = np.clip(change, -IMAGES, 1 - IMAGES)
    return IMAGES + change


def _start(ball, seed, restart=0):
    draw = seeds.derive(seed, "start", restart)
    return Pixels(ball).start(tf.zeros_like(IMAGES), draw).numpy()


BALLS = [Linf(0.1, step=0.07), L2(0.5, step=0.4)]


@pytest.mark.parametrize("ball", BALLS)
@pytest.mark.parametrize("steps", [1, 3])
def test_from_a_random_start(ball, steps):
    search = ij.attacks.Ascent(ball, steps=steps)
    expected = _by_hand(ball, steps, _start(ball, seed=7))
    found = search(model, IMAGES, LABELS, seed=7).images
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("ball", BALLS)
@pytest.mark.parametrize("momentum", [0.0, 0.5, 1.0])
def test_from_the_images_with_momentum(ball, momentum):
    search = ij.attacks.Ascent(
        ball, steps=3, momentum=momentum, random_start=False
    )
    expected = _by_hand(ball, 3, momentum=momentum)
    found = search(model, IMAGES, LABELS).images
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_momentum_remembers():
    # Three steps end inside of the ball: at its border all roads meet.
    ball = L2(0.5, step=0.1)
    plain, heavy = _by_hand(ball, 3), _by_hand(ball, 3, momentum=1.0)
    assert np.abs(plain - heavy).max() > 1e-4
    search = ij.attacks.Ascent(ball, 3, momentum=1.0, random_start=False)
    found = search(model, IMAGES, LABELS).images
    np.testing.assert_allclose(found, heavy, atol=1e-6)


@pytest.mark.parametrize("ball", BALLS)
def test_a_targeted_search_descends(ball):
    search = ij.attacks.Ascent(ball, steps=3, targeted=True)
    expected = _by_hand(ball, 3, _start(ball, seed=0), sign=-1)
    found = search(model, IMAGES, LABELS).images
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("targeted", [False, True])
def test_restarts_keep_a_success_else_the_best_loss(targeted):
    # A step of 0 leaves every search at its start, and with soft labels
    # success and loss go different ways.
    ball, restarts = L2(2.0, step=0), 5
    soft = np.tile(np.float32([[0.4, 0.35, 0.25]]), (6, 1))
    found = []
    for restart in range(restarts):
        images = np.clip(IMAGES + _start(ball, 3, restart), 0, 1)
        chances = _softmax(images)
        success = (chances.argmax(1) == 0) == targeted
        loss = -(soft * np.log(chances)).sum(1)
        found.append((images, success, loss))
    images, success, loss = map(np.array, zip(*found, strict=True))
    # Better is to succeed, then to have the larger (targeted: smaller) loss.
    score = 1e6 * success + (-loss if targeted else loss)
    best = score.argmax(0), np.arange(6)
    search = ij.attacks.Ascent(
        ball, steps=1, restarts=restarts, targeted=targeted
    )
    result = search(model, IMAGES, soft, seed=3)
    np.testing.assert_allclose(result.images, images[best], atol=1e-6)
    np.testing.assert_array_equal(result.success, success[best])
    np.testing.assert_allclose(result.loss, loss[best], rtol=1e-4)
    norms = np.linalg.norm((images[best] - IMAGES).reshape(6, -1), axis=1)
    np.testing.assert_allclose(result.budget["pixels"], norms, rtol=1e-5)
    # The case is not an easy one: some samples succeed now and then, and
    # some of those have a larger loss elsewhere.
    assert np.any(success.any(0) & ~success.all(0))
    largest = (-loss if targeted else loss).argmax(0)
    assert np.any(success.any(0) & ~success[largest, np.arange(6)])


def test_the_graph_does_not_grow_with_the_steps():
    def nodes(steps):
        search = ij.attacks.Ascent(Linf(0.1), steps=steps, restarts=2)
        traced = tf.function(
            lambda images, labels: search(model, images, labels)
        )
        graph = traced.get_concrete_function(IMAGES, LABELS).graph
        definition = graph.as_graph_def()
        inner = definition.library.function
        return len(definition.node) + sum(len(each.node_def) for each in inner)

    assert nodes(5) == nodes(50) > 50


@pytest.mark.parametrize("count", [0, -1, 2.0, "2", None])
@pytest.mark.parametrize("name", ["steps", "restarts"])
def test_counts_are_positive_integers(name, count):
    message = f"`{name}` must be an integer of at least 1"
    with pytest.raises(ValueError, match=message):
        ij.attacks.Ascent(Linf(0.1), **{name: count})


def test_equal_searches_are_refused():
    with pytest.raises(ValueError, match="`restarts` need random starts"):
        ij.attacks.Ascent(Linf(0.1), restarts=2, random_start=False)


def test_what_is_no_space_is_refused():
    with pytest.raises(ValueError, match="`space` must be a space"):
        ij.attacks.Ascent(8 / 255)


@pytest.mark.parametrize("scale", [1, 1e37])
def test_what_is_no_number_moves_nothing(scale):
    """Also where the sum of a gradient leaves float32's range."""
    slopes = scale * np.arange(1, 13, dtype="float32").reshape(3, 4)
    np.testing.assert_array_equal(finite(tf.constant(slopes)), slopes)
    slopes[[0, 1, 2], [1, 2, 0]] = np.nan, np.inf, -np.inf
    expected = np.nan_to_num(slopes, posinf=0, neginf=0)
    for found in (finite, tf.function(finite)):
        np.testing.assert_array_equal(found(tf.constant(slopes)), expected)


class Overflowing:
    """Its latents are images and marks; it makes no dark ones far away."""

    def encode(self, images):
        dark = tf.reduce_mean(images, [1, 2, 3], keepdims=True) < MIDDLE
        marks = tf.where(dark, 1.0, tf.zeros_like(images[..., :1]))
        return tf.concat([images, marks], -1)

    def decode(self, latents):
        far = tf.abs(latents[..., 2:] - 1) < 0.5
        far &= tf.abs(latents[..., 2:] - 1) > 0.05
        return tf.where(far, np.nan, latents[..., :2])


@pytest.mark.parametrize("restarts", [1, 3])
def test_an_image_that_is_not_finite_is_not_attacked(restarts):
    space = ij.spaces.Latent(Overflowing(), Linf(0.1))
    attack = ij.attacks.Ascent(space, steps=3, restarts=restarts)
    with pytest.warns(UserWarning, match="3 of 6 images are unchanged.*overf"):
        result = attack(model, IMAGES, LABELS)
    dark = IMAGES.mean((1, 2, 3)) < MIDDLE
    assert dark.sum() == 3
    np.testing.assert_array_equal(result.overflowed, dark)
    np.testing.assert_array_equal(result.images[dark], IMAGES[dark])
    wrong = model(IMAGES).numpy().argmax(1) != LABELS
    np.testing.assert_array_equal(result.success[dark], wrong[dark])
    assert np.isfinite(result.images).all() and np.isfinite(result.loss).all()
    expected = np.where(dark, 0, 0.1)
    np.testing.assert_allclose(result.budget["latent"], expected, rtol=1e-5)


def test_a_union_tells_of_an_overflow_unless_another_attack_succeeds():
    space = ij.spaces.Latent(Overflowing(), Linf(0.1))
    strong = ij.attacks.PGD(Linf(0.5), steps=5)
    dark = IMAGES.mean((1, 2, 3)) < MIDDLE
    for other in (strong, ij.attacks.FGSM(Linf(0.0))):
        union = ij.attacks.WorstOf([ij.attacks.Ascent(space, steps=3), other])
        result = union(model, IMAGES, LABELS)
        np.testing.assert_array_equal(
            result.overflowed, dark & ~result.success.numpy()
        )
