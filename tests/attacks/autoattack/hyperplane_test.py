"""The shortest way onto a hyperplane, against sorting, LP and a solver."""

import numpy as np
import pytest
import scipy.optimize
import tensorflow as tf

from ijsat_tf.attacks.autoattack.hyperplane import Hyperplane
from ijsat_tf.spaces import L2, Linf

BALLS = [Linf(1), L2(1)]


def _shift(ball, points, normal, excess, dtype=np.float64):
    given = (dtype(part) for part in (points, normal, excess))
    points, normal, excess = map(tf.constant, given)
    return Hyperplane(ball, normal).shift(points, excess).numpy()


def _sorted(ball, x, w, c):
    """The same in float64, by sorting the times at which coordinates stop."""
    sign = -1.0 if c < 0 else 1.0
    w, c = sign * w, sign * c
    room = np.where(w > 0, x, 1 - x)
    speed = np.ones_like(w) if isinstance(ball, Linf) else np.abs(w)
    moves = w != 0
    if not moves.any():
        return np.zeros_like(w)
    stops = np.sort(room[moves] / speed[moves])

    def gone(time):
        return np.abs(w) @ np.minimum(time * speed, room)

    if gone(stops[-1]) <= c:
        return -np.sign(w) * room
    after = np.searchsorted([gone(stop) for stop in stops], c)
    # No coordinate stops between these two times.
    first, last = (0.0, *stops)[after], stops[after]
    share = (c - gone(first)) / max(gone(last) - gone(first), 1e-300)
    time = first + share * (last - first)
    return -np.sign(w) * np.minimum(time * speed, room)


def _cases():
    draws = np.random.default_rng(0)
    for size in (1, 2, 7, 300):
        x = np.clip(draws.uniform(-0.5, 1.5, (40, size)), 0, 1)
        w = draws.normal(size=(40, size)) * np.exp(
            2 * draws.normal(size=(40, size))
        )
        w[draws.random(w.shape) < 0.1] = 0
        reach = np.sum(np.abs(w), 1)
        # From next to nothing to what no corner reaches.
        c = reach * draws.normal(size=40) * np.exp(-4 * draws.random(40))
        yield x, w, c


@pytest.mark.parametrize("ball", BALLS)
def test_equals_sorting(ball):
    for case in _cases():
        expected = [_sorted(ball, *row) for row in zip(*case)]
        found = _shift(ball, *case)
        np.testing.assert_allclose(found, expected, atol=1e-12)
        # Weights of several orders of magnitude cost some digits.
        found = _shift(ball, *case, np.float32)
        np.testing.assert_allclose(found, expected, atol=2e-5)
        moved = np.float32(case[0]) + found
        assert np.all((moved >= -1e-7) & (moved <= 1 + 1e-7))


@pytest.mark.parametrize("ball", BALLS)
def test_float32_is_enough_for_gradients_of_images(ball):
    draws = np.random.default_rng(3)
    x, w = draws.random((20, 3072)), draws.normal(size=(20, 3072))
    c = 10 * draws.normal(size=20)
    expected = [_sorted(ball, *row) for row in zip(x, w, c)]
    found = _shift(ball, x, w, c, np.float32)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(np.sum(w * found, 1), -c, rtol=1e-5)


def test_linf_is_a_linear_program():
    draws = np.random.default_rng(1)
    x, w = draws.random((10, 6)), draws.normal(size=(10, 6))
    # A hyperplane through a point of the box can be reached.
    c = np.einsum("ij,ij->i", w, x - draws.random((10, 6)))
    found = _shift(Linf(1), x, w, c)
    for change, point, normal, excess in zip(found, x, w, c):
        # Least s with -s <= d_i <= s.
        bounds = np.vstack([np.eye(6), -np.eye(6)])
        program = scipy.optimize.linprog(
            [*np.zeros(6), 1],
            A_ub=np.hstack([bounds, -np.ones((12, 1))]),
            b_ub=np.zeros(12),
            A_eq=[[*normal, 0]],
            b_eq=[-excess],
            bounds=[*zip(-point, 1 - point), (0, None)],
        )
        assert normal @ change == pytest.approx(-excess, abs=1e-6)
        assert np.abs(change).max() == pytest.approx(program.fun, abs=1e-6)


def test_l2_is_a_least_squares_problem():
    draws = np.random.default_rng(2)
    x, w = draws.random((10, 6)), draws.normal(size=(10, 6))
    c = np.einsum("ij,ij->i", w, x - draws.random((10, 6)))
    found = _shift(L2(1), x, w, c)
    for change, point, normal, excess in zip(found, x, w, c):
        solved = scipy.optimize.minimize(
            lambda d: d @ d,
            np.zeros(6),
            jac=lambda d: 2 * d,
            method="SLSQP",
            bounds=list(zip(-point, 1 - point)),
            constraints=scipy.optimize.LinearConstraint(
                normal, -excess, -excess
            ),
            options={"ftol": 1e-14, "maxiter": 300},
        )
        np.testing.assert_allclose(change, solved.x, atol=1e-5)


@pytest.mark.parametrize("ball", BALLS)
def test_images_are_rows(ball):
    x, w, c = next(case for case in _cases() if case[0].shape[1] == 300)
    shape = (-1, 10, 10, 3)
    found = _shift(ball, x.reshape(shape), w.reshape(shape), c)
    np.testing.assert_array_equal(found.reshape(x.shape), _shift(ball, x, w, c))


@pytest.mark.parametrize("ball", BALLS)
@pytest.mark.parametrize("value", [np.nan, np.inf, 0, 1e-25, 1e25])
def test_what_is_not_finite_or_nothing_does_not_move(ball, value):
    x = np.full([1, 5], 0.25)
    for excess in (0.0, 1.0, -1e30):
        found = _shift(ball, x, np.full([1, 5], value), [excess])
        assert np.all((x + found >= 0) & (x + found <= 1))
        if not np.isfinite(value) or value == 0:
            np.testing.assert_array_equal(found, 0)
