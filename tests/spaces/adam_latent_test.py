"""Adam in a latent space against NumPy, in boxes that meet and that do not."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf import seeds
from ijsat_tf.attacks import Ascent
from ijsat_tf.spaces import L2, AdamLatent, Joint, Linf, Pixels
from tests import tiny

STEP = 0.01


class Decoder:
    """Images that are their latents, shifted into the grey."""

    def decode(self, latents):
        return 0.5 + tf.reshape(latents, [-1, 8, 8, 2]) / 10


def make(radius=0.1, **settings):
    return AdamLatent(Decoder(), Linf(radius, step=STEP), **settings)


def prepare(space, latents):
    images = space.generator.decode(latents)
    return images, space.prepare(images, latents)


def adam(gradients, low, high, start):
    """The point after each step, written from the algorithm's paper."""
    point, mean, square = start.astype("float64"), 0.0, 0.0
    for step, gradient in enumerate(gradients, start=1):
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        unbiased = mean / (1 - 0.9**step), square / (1 - 0.999**step)
        point = point + STEP * unbiased[0] / (np.sqrt(unbiased[1]) + 1e-8)
        point = np.clip(point, low, high)
        yield point


@pytest.mark.parametrize("bound, limit", [(None, 10.0), (2.0, 2.0), (0.0, 0.0)])
def test_steps_by_numpy(bound, limit):
    draws = np.random.default_rng(0)
    latents = draws.normal(size=(5, 128), scale=1.5).astype("float32")
    space = make(bound=bound)
    images, context = prepare(space, latents)
    change = space.start(context, seeds.derive(0))
    # Where the two boxes do not meet, lambda is at the nearest of its own.
    low = np.clip(-limit - latents, -0.1, 0.1)
    high = np.clip(limit - latents, -0.1, 0.1)
    assert ((low <= change.moved) & (change.moved <= high)).numpy().all()
    slopes = draws.normal(size=(30, 5, 128)) + 0.5
    expected = adam(slopes, low, high, change.moved.numpy())
    for iteration, (slope, point) in enumerate(zip(slopes, expected)):
        slope = tf.constant(slope, "float32")
        gradient = tf.nest.map_structure(tf.zeros_like, change)
        gradient = gradient._replace(moved=slope)
        change = space.update(change, gradient, images, iteration)
        np.testing.assert_allclose(change.moved, point, atol=1e-5)
    np.testing.assert_allclose(
        space.measure(change)["latent"], np.abs(point).max(1), atol=1e-5
    )


def test_a_search_climbs_to_the_corner():
    """A linear loss has its maximum where every coordinate is at its end."""
    weights, model = tiny.make_linear()
    latents = np.random.default_rng(0).normal(size=(4, 128)).astype("float32")
    space = make(bound=1.0)
    images, _ = prepare(space, latents)
    labels = np.zeros(4, int)
    result = Ascent(space, steps=40)(model, images, labels, latents=latents)
    ends = np.where(weights.ravel() > 0, 1.0, -1.0)
    moved = np.clip(ends - latents, -0.1, 0.1)
    expected = space.generator.decode(latents + moved)
    np.testing.assert_allclose(result.images, expected, atol=1e-5)


def test_without_a_random_start_it_begins_at_the_image(flow, images):
    space = AdamLatent(flow, Linf(0.1, step=STEP))
    context = space.prepare(tf.constant(images), None)
    change = space.start(context, None)
    inside = [np.abs(latent) <= 2 for latent in context.latents]
    for part, where in zip(change.moved, inside, strict=True):
        np.testing.assert_array_equal(part[where], 0)
        assert where.mean() > 0.9


def test_joined_with_pixels(flow, classifier, images, labels):
    joint = Joint(AdamLatent(flow, Linf(0.1, step=0.05)), Linf(0.05))
    result = Ascent(joint, steps=3)(classifier, images, labels)
    assert set(result.budget) == {"latent", "pixels"}
    assert np.max(result.budget["latent"]) <= 0.1 + 1e-6
    assert isinstance(joint.spaces[1], Pixels)


def test_it_is_a_value(flow):
    space = AdamLatent(flow, Linf(0.1), bound=3.0)
    assert {space: 1}[AdamLatent(flow, Linf(0.1), bound=3.0)] == 1
    config = keras.saving.serialize_keras_object(space)
    assert repr(keras.saving.deserialize_keras_object(config)) == repr(space)


@pytest.mark.parametrize("bound", [-1.0, float("nan"), "2"])
def test_a_bound_that_is_none_is_refused(bound):
    with pytest.raises(ValueError, match="`bound` must be a number"):
        make(bound=bound)


def test_another_ball_is_refused():
    with pytest.raises(ValueError, match="`ball` must be Linf"):
        AdamLatent(Decoder(), L2(0.1))
    with pytest.raises(ValueError, match="`latent` must be a ball"):
        ij.spaces.AdamLatent(Decoder(), 0.1)
