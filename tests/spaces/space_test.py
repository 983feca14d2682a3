"""A space written elsewhere works in the search, alone and in a chain."""

import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf.spaces import Joint, Linf, Pixels, Space
from ijsat_tf.types import value
from tests import tiny


@value
class Brightness(Space):
    """x + b with one number b a sample, |b| <= radius."""

    radius: float

    def prepare(self, images, latents):
        return tf.zeros_like(images[:, :1, :1, :1])

    def start(self, context, seed):
        return context

    def apply(self, images, change, context):
        return images + change

    def update(self, change, gradient, images, iteration):
        moved = change + self.radius * tf.sign(gradient)
        return tf.clip_by_value(moved, -self.radius, self.radius)

    def measure(self, change):
        return {self.name: tf.abs(change[:, 0, 0, 0])}


def _gain(space, images):
    """How much the margin grows, and what the growth cost."""
    weights, model = tiny.make_linear()
    attack = ij.attacks.Ascent(space, steps=5)
    result = attack(model, images, np.zeros(len(images), int))
    return np.sum(weights * (result.images - images), (1, 2, 3)), result.budget


def test_a_new_space_is_searched(images):
    weights, _ = tiny.make_linear()
    gain, budget = _gain(Brightness(0.1), images)
    np.testing.assert_allclose(gain, 0.1 * abs(weights.sum()), rtol=1e-4)
    np.testing.assert_allclose(budget["brightness"], 0.1, rtol=1e-6)


def test_a_new_space_joins_others(images):
    weights, _ = tiny.make_linear()
    gain, budget = _gain(Joint(Brightness(0.1), Linf(0.05)), images)
    expected = 0.1 * abs(weights.sum()) + 0.05 * np.abs(weights).sum()
    np.testing.assert_allclose(gain, expected, rtol=1e-4)
    assert set(budget) == {"brightness", "pixels"}


def test_a_space_says_what_it_lacks(images):
    space = Space()
    assert (space.name, space.replaces_images) == ("space", False)
    assert space.with_steps(5) is space
    for call in (
        lambda: space.prepare(images, None),
        lambda: space.start(None, None),
        lambda: space.apply(images, images, None),
        lambda: space.update(images, images, images, 0),
        lambda: space.measure(images),
    ):
        with pytest.raises(NotImplementedError):
            call()


def test_the_paper_s_name_of_the_image_space_is_pixels():
    assert Pixels(Linf(0.1)).name == "pixels"
