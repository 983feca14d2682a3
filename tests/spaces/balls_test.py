"""Balls against NumPy, and random starts against their distributions."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf import seeds
from ijsat_tf.spaces import L1, L2, Ball, Linf

BALLS = [Linf, L2, L1]
ORDERS = {Linf: np.inf, L2: 2, L1: 1}
RANDOM = np.random.default_rng(0)
CHANGE = [
    RANDOM.normal(size=(4, 2, 3, 1)).astype("float32"),
    RANDOM.normal(size=(4, 5)).astype("float32"),
]
GRADIENT = [RANDOM.normal(size=part.shape).astype("float32") for part in CHANGE]


def _vectors(parts):
    """A change as one row per sample."""
    return np.concatenate(
        [np.asarray(part).reshape(len(part), -1) for part in parts], axis=1
    )


def _norms(vectors, ball):
    return np.linalg.norm(vectors, ORDERS[type(ball)], axis=1)


@pytest.mark.parametrize("ball", [Linf(1.0), L2(1.0), L1(1.0)])
def test_the_norm_of_a_list_is_that_of_one_vector(ball):
    norms = _norms(_vectors(CHANGE), ball)
    np.testing.assert_allclose(ball.norm(CHANGE), norms, rtol=1e-6)
    alone = _norms(_vectors(CHANGE[:1]), ball)
    np.testing.assert_allclose(ball.norm(CHANGE[0]), alone, rtol=1e-6)


def test_a_step_in_linf_goes_along_the_sign():
    moved = Linf(1.0, step=0.25).ascend(CHANGE, GRADIENT)
    expected = _vectors(CHANGE) + 0.25 * np.sign(_vectors(GRADIENT))
    np.testing.assert_allclose(_vectors(moved), expected, rtol=1e-6)


def test_a_step_in_l2_goes_along_the_gradient_of_all_parts():
    moved = L2(1.0, step=0.25).ascend(CHANGE, GRADIENT)
    gradient = _vectors(GRADIENT)
    unit = gradient / np.linalg.norm(gradient, axis=1, keepdims=True)
    expected = _vectors(CHANGE) + 0.25 * unit
    np.testing.assert_allclose(_vectors(moved), expected, rtol=1e-5)


@pytest.mark.parametrize("ball", [kind(0.5, step=1) for kind in BALLS])
def test_a_gradient_of_zero_moves_nothing(ball):
    still = [tf.zeros_like(part) for part in CHANGE]
    np.testing.assert_array_equal(_vectors(ball.ascend(still, still)), 0)


def test_projection_into_linf_cuts_each_number():
    projected = _vectors(Linf(0.5).project(CHANGE))
    np.testing.assert_array_equal(
        projected, np.clip(_vectors(CHANGE), -0.5, 0.5)
    )


def test_projection_into_l2_shrinks_what_is_too_long_and_nothing_else():
    vectors = _vectors(CHANGE)
    norms = np.linalg.norm(vectors, axis=1)
    radius = float(np.median(norms))
    expected = vectors * np.minimum(1, radius / norms)[:, None]
    projected = _vectors(L2(radius).project(CHANGE))
    np.testing.assert_allclose(projected, expected, rtol=1e-6)
    inside = norms < radius
    np.testing.assert_array_equal(projected[inside], vectors[inside])


@pytest.mark.parametrize("ball", [kind(0.3) for kind in BALLS])
def test_a_start_lies_in_the_ball_and_belongs_to_its_seed(ball):
    first, again, other = (
        _vectors(ball.start(CHANGE, seeds.derive(seed))) for seed in (0, 0, 1)
    )
    assert np.all(_norms(first, ball) <= 0.3 + 1e-6)
    np.testing.assert_array_equal(first, again)
    # A coordinate that two draws share would be a seed used twice.
    assert np.unique(first).size == first.size
    assert not np.isin(first, other).any()


def test_a_start_in_linf_is_uniform_in_each_number():
    drawn = np.sort(
        Linf(0.3).start(tf.zeros([4000, 1]), seeds.derive(0)), axis=0
    )
    uniform = np.linspace(-0.3, 0.3, len(drawn))[:, None]
    # Kolmogorov and Smirnov's 0.1 % bound is 1.95 / sqrt(4000) = 0.031.
    assert np.abs(drawn - uniform).max() < 0.031 * 0.6


def test_a_start_in_l2_is_uniform_in_the_ball():
    like = [tf.zeros([4000, 1, 2]), tf.zeros([4000, 1])]
    vectors = _vectors(L2(0.3).start(like, seeds.derive(0)))
    norms = np.linalg.norm(vectors, axis=1)
    # In three dimensions both the ball's share inside of the norm and the
    # height on any axis of the unit sphere (Archimedes) are uniform.
    shares = [(norms / 0.3) ** 3, *((vectors.T / norms + 1) / 2)]
    for share in shares:
        uniform = np.linspace(0, 1, len(share))
        assert np.abs(np.sort(share) - uniform).max() < 0.031


@pytest.mark.parametrize("ball", [kind(0) for kind in BALLS])
def test_a_radius_of_zero_allows_no_change(ball):
    start = ball.start(CHANGE, seeds.derive(0))
    np.testing.assert_array_equal(_vectors(start), 0)
    np.testing.assert_array_equal(_vectors(ball.project(CHANGE)), 0)


@pytest.mark.parametrize("kind", BALLS)
def test_a_tiny_ball_keeps_what_is_inside(kind):
    inside = kind(1e-30).project([part * 1e-10 for part in CHANGE])
    again = kind(1e-30).project(inside)
    np.testing.assert_allclose(_vectors(again), _vectors(inside), rtol=1e-5)
    assert np.all(np.abs(_vectors(inside)).max(1) > 0)


def test_numbers_keep_their_precision():
    like = tf.zeros([2, 3], tf.float64)
    for ball in (kind(0.1, step=0.1) for kind in BALLS):
        start = ball.start(like, seeds.derive(0))
        assert ball.project(ball.ascend(start, start)).dtype == tf.float64


@pytest.mark.parametrize("kind", BALLS)
def test_the_step_is_two_and_a_half_radii_over_the_steps(kind):
    assert kind(0.2).with_step(10) == kind(0.2, step=0.05)
    assert kind(0.2, step=0.01).with_step(10) == kind(0.2, step=0.01)


@pytest.mark.parametrize("kind", BALLS)
@pytest.mark.parametrize(
    "radius", [-0.1, np.nan, np.inf, "0.1", None, [0.1], np.zeros(2)]
)
def test_a_radius_that_is_no_length_is_refused(kind, radius):
    with pytest.raises(ValueError, match=f"`radius` of {kind.__name__}.*"):
        kind(radius)
    if radius is not None:
        with pytest.raises(ValueError, match=f"`step` of {kind.__name__}.*"):
            kind(0.1, step=radius)


@pytest.mark.parametrize("kind", BALLS)
def test_a_ball_is_a_value(kind):
    ball = kind(8 / 255, step=2 / 255)
    assert {ball: 1}[kind(8 / 255, 2 / 255)] == 1
    assert ball != kind(8 / 255) != kind(4 / 255)
    assert Linf(0.1) != L2(0.1)
    assert kind(np.float32(0.5)) == kind(tf.constant(0.5)) == kind(0.5)
    assert eval(repr(ball), vars(ij.spaces)) == ball
    assert repr(kind(0.5)) == f"{kind.__name__}(0.5)"
    config = keras.saving.serialize_keras_object(ball)
    assert keras.saving.deserialize_keras_object(config) == ball


def test_another_ball_says_what_it_lacks():
    ball = Ball(0.1)
    for call in (
        lambda: ball.start(CHANGE, seeds.derive(0)),
        lambda: ball.ascend(CHANGE, GRADIENT),
        lambda: ball.project(CHANGE),
        lambda: ball.norm(CHANGE),
    ):
        with pytest.raises(NotImplementedError):
            call()
