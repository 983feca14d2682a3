"""The reach of spaces whose largest change is known in closed form."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.spaces import L2, Latent, Linf, Pixels, reach

IMAGES = np.full((5, 2, 2, 1), 0.5, "float32")
MIX = np.random.default_rng(0).normal(size=(4, 4)).astype("float32")


class Linear:
    """x = z A, of four latents and four pixels."""

    def encode(self, images):
        return tf.reshape(images, [-1, 4]) @ np.linalg.inv(MIX)

    def decode(self, latents):
        return tf.reshape(latents @ MIX, [-1, 2, 2, 1])


def _lengths(images):
    return np.linalg.norm(np.reshape(images - IMAGES, (5, 4)), axis=1)


@pytest.mark.parametrize("radius", [0.0, 0.1])
def test_signs_of_the_largest_change(radius):
    found = reach(Latent(Linear(), Linf(radius)), IMAGES)
    corners = radius * np.array(list(itertools.product([-1, 1], repeat=4)))
    lengths = np.linalg.norm(corners @ MIX, axis=1)
    # Random signs are some corner; ascent ends in one that no flip improves.
    for length in _lengths(found.random):
        assert np.abs(lengths - length).min() < 1e-5
    adversarial = _lengths(found.adversarial)
    np.testing.assert_allclose(adversarial.max(), lengths.max(), atol=1e-5)
    assert (adversarial >= _lengths(found.random) - 1e-6).all()


def test_an_l2_ball_reaches_as_far_as_the_largest_singular_value():
    found = reach(Latent(Linear(), L2(0.1, step=0.05)), IMAGES, steps=200)
    expected = 0.1 * np.linalg.norm(MIX, 2)
    np.testing.assert_allclose(_lengths(found.adversarial), expected, rtol=1e-3)


def test_pixels_reach_their_radius():
    found = reach(Pixels(Linf(0.1)), IMAGES)
    for images in found:
        np.testing.assert_allclose(np.abs(images - IMAGES), 0.1, atol=1e-6)


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match=r"`images` must lie in \[0, 1\]"):
        reach(Pixels(Linf(0.1)), 255 * IMAGES)
    with pytest.raises(ValueError, match="`steps` must be an integer"):
        reach(Pixels(Linf(0.1)), IMAGES, steps=0)
