"""The least L1 change onto a hyperplane, against filling and a program."""

import numpy as np
import pytest
import scipy.optimize
import tensorflow as tf

from ijsat_tf.attacks.autoattack.l1_hyperplane import L1Hyperplane
from ijsat_tf.spaces import L1
from tests.attacks.autoattack.hyperplane_test import _cases


def shift(points, normal, excess, dtype=np.float64):
    given = (tf.constant(dtype(part)) for part in (points, normal, excess))
    points, normal, excess = given
    return L1Hyperplane(L1(1), normal).shift(points, excess).numpy()


def filled(x, w, c):
    """The same in float64, one coordinate after another."""
    w, c = (-w, -c) if c < 0 else (w, c)
    change = np.zeros_like(w)
    for place in np.argsort(-np.abs(w), kind="stable"):
        if w[place] and c > 0:
            room = x[place] if w[place] > 0 else 1 - x[place]
            moved = min(c / abs(w[place]), room)
            change[place] = -np.sign(w[place]) * moved
            c -= moved * abs(w[place])
    return change


def test_equals_one_coordinate_after_another():
    for case in _cases():
        expected = np.array([filled(*row) for row in zip(*case)])
        np.testing.assert_allclose(shift(*case), expected, atol=1e-9)
        # Weights of several orders of magnitude cost some digits.
        found = shift(*case, np.float32)
        lengths = np.abs(expected).sum(1)
        np.testing.assert_allclose(
            np.abs(found).sum(1), lengths, rtol=1e-4, atol=1e-4
        )
        moved = np.float32(case[0]) + found
        assert np.all((moved >= -1e-7) & (moved <= 1 + 1e-7))


def test_is_a_linear_program():
    draws = np.random.default_rng(1)
    x, w = draws.random((10, 6)), draws.normal(size=(10, 6))
    # A hyperplane through a point of the box can be reached.
    c = np.einsum("ij,ij->i", w, x - draws.random((10, 6)))
    for change, point, normal, excess in zip(shift(x, w, c), x, w, c):
        # d = u - v with u, v >= 0, of least sum.
        program = scipy.optimize.linprog(
            np.ones(12),
            A_eq=[[*normal, *-normal]],
            b_eq=[-excess],
            bounds=[(0, most) for most in (*(1 - point), *point)],
        )
        assert normal @ change == pytest.approx(-excess, abs=1e-6)
        assert np.abs(change).sum() == pytest.approx(program.fun, abs=1e-6)


def test_images_are_rows():
    x, w, c = next(case for case in _cases() if case[0].shape[1] == 300)
    shape = (-1, 10, 10, 3)
    found = shift(x.reshape(shape), w.reshape(shape), c)
    np.testing.assert_array_equal(found.reshape(x.shape), shift(x, w, c))


@pytest.mark.parametrize("value", [np.nan, np.inf, 0, 1e-25, 1e25])
def test_what_is_not_finite_or_nothing_does_not_move(value):
    x = np.full([1, 5], 0.25)
    for excess in (0.0, 1.0, -1e30):
        found = shift(x, np.full([1, 5], value), [excess])
        assert np.all((x + found >= 0) & (x + found <= 1))
        if not np.isfinite(value) or value == 0:
            np.testing.assert_array_equal(found, 0)
