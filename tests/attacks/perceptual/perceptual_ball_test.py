"""The perceptual ball where features are linear, in closed form."""

import numpy as np
import tensorflow as tf

from ijsat_tf.attacks.perceptual.perceptual_ball import PerceptualBall

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.random((8, 3, 3, 1))
# phi(x) = A x, with a Jacobian far from a multiple of the identity.
PHI = RANDOM.normal(size=(9, 12)) * np.linspace(0.3, 2, 9)[:, None]
WEIGHTS = RANDOM.normal(size=(9, 3), scale=0.5)


def flat(images):
    return tf.reshape(images, [-1, 9])


def model(images):
    return flat(images) @ tf.cast(WEIGHTS, images.dtype)


class Linear:
    """A distance whose features are linear in the image."""

    def prepare(self):
        return lambda images: flat(images) @ tf.cast(PHI, images.dtype)


def length(rows):
    return np.linalg.norm(rows, axis=1, keepdims=True)


def ball_of(bound, view=None):
    images = tf.constant(IMAGES)
    features = Linear().prepare()
    view = view or (lambda images: (features(images), model(images)))
    return PerceptualBall(images, view(images)[0], view, bound)


def test_the_distance_is_that_of_the_features():
    moved = np.random.default_rng(1).random(IMAGES.shape)
    ball = ball_of(0.3)
    np.testing.assert_allclose(ball.features(moved), flat(moved) @ PHI)
    expected = np.linalg.norm(flat(moved - IMAGES) @ PHI, axis=1)
    np.testing.assert_allclose(ball.distance(moved), expected)
    np.testing.assert_array_equal(ball.distance(IMAGES), np.zeros(8))


def test_projection_leaves_what_is_inside_and_brings_back_the_rest():
    ball = ball_of(0.3)
    change = np.random.default_rng(1).normal(size=IMAGES.shape)
    change *= (np.linspace(0, 0.9, 8) / length(flat(change) @ PHI).T)[
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

    ball = ball_of(0.3, flatland)
    change = np.random.default_rng(1).normal(size=IMAGES.shape, scale=0.5)
    given = np.clip(IMAGES + change, 0, 1)
    found = ball.project(tf.constant(given)).numpy()
    # The distance is linear on the line to the image.
    share = 0.3 / ball.distance(tf.constant(given)).numpy()
    share = np.floor(share * 2**10) / 2**10
    expected = IMAGES + share[:, None, None, None] * (given - IMAGES)
    np.testing.assert_allclose(found, expected, atol=1e-6)
