"""The image space against NumPy, at the border of [0, 1] above all."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf import seeds
from ijsat_tf.spaces import L1, L2, Linf, Pixels, as_space

# Black, white, and grey pixels near to either.
IMAGES = np.random.default_rng(0).choice(
    np.float32([0, 0.02, 0.5, 0.97, 1]), (6, 4, 4, 2)
)
GRADIENT = np.random.default_rng(1).normal(size=IMAGES.shape).astype("float32")
BALLS = [Linf(0.1, step=0.3), L2(1.0, step=3.0)]


@pytest.mark.parametrize("ball", BALLS)
def test_a_change_stays_in_the_ball_and_in_the_unit_interval(ball):
    space = Pixels(ball)
    start = space.start(space.prepare(IMAGES, None), seeds.derive(0))
    change = space.update(start, GRADIENT, IMAGES, 0).numpy()
    moved = ball.project(ball.ascend(start, GRADIENT)).numpy()
    np.testing.assert_allclose(
        IMAGES + change, np.clip(IMAGES + moved, 0, 1), atol=1e-7
    )
    assert np.any(np.abs(IMAGES + moved - 0.5) > 0.5 + 1e-3)
    assert np.all(space.measure(change)["pixels"] <= ball.radius + 1e-6)


@pytest.mark.parametrize("ball", [*BALLS, L1(1.0, step=3.0)])
def test_after_another_space_only_the_ball_bounds(ball):
    space = Pixels(ball)
    change = space.update(tf.zeros_like(IMAGES), GRADIENT, None, 0)
    moved = ball.project(ball.ascend(tf.zeros_like(IMAGES), GRADIENT))
    np.testing.assert_array_equal(change, moved)


def test_without_a_seed_it_starts_at_the_images():
    space = Pixels(Linf(0.1))
    context = space.prepare(tf.constant(IMAGES), None)
    start = space.start(context, None)
    np.testing.assert_array_equal(space.apply(IMAGES, start, context), IMAGES)


def test_the_budget_is_the_ball_s_norm():
    used = Pixels(L2(1.0)).measure(GRADIENT)
    norms = np.linalg.norm(GRADIENT.reshape(6, -1), axis=1)
    np.testing.assert_allclose(used["pixels"], norms, rtol=1e-6)


def test_a_ball_stands_for_pixels():
    assert as_space(Linf(0.1)) == Pixels(Linf(0.1))
    assert as_space(Pixels(Linf(0.1))) == Pixels(Linf(0.1))


@pytest.mark.parametrize("other", [0.1, "Linf", None, Linf])
def test_what_is_no_space_is_refused(other):
    with pytest.raises(ValueError, match="`space` must be a space"):
        as_space(other)
    with pytest.raises(ValueError, match="`ball` must be a ball"):
        Pixels(other)


def test_pixels_are_a_value():
    space = Pixels(Linf(0.1))
    assert space.with_steps(5) == Pixels(Linf(0.1, step=0.05))
    assert repr(space) == "Pixels(Linf(0.1))"
    assert eval(repr(space), vars(ij.spaces)) == space
    config = keras.saving.serialize_keras_object(space)
    assert keras.saving.deserialize_keras_object(config) == space


def test_a_radius_of_grey_levels_is_told():
    with pytest.warns(UserWarning, match="radius 8 .* above 1.*8 / 255"):
        Pixels(Linf(8))
