"""Frank-Wolfe against SciPy's linear programs."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import optimize

from ijsat_tf.spaces import frank_wolfe

RANDOM = np.random.default_rng(0)
SHAPES = [(4, 2, 3, 1), (4, 5)]
CHANGE = [RANDOM.uniform(-1, 1, shape) for shape in SHAPES]
GRADIENT = [RANDOM.normal(size=shape) for shape in SHAPES]


def vectors(parts):
    """A change as one row per sample."""
    return np.concatenate(
        [np.reshape(part, (len(part), -1)) for part in parts], axis=1
    )


def tensors(parts):
    return [tf.constant(part) for part in parts]


def farthest(slope, radius, low, high):
    """The s of largest <slope, s> with |s|_1 <= radius and low <= s <= high.

    As s = u - v with u, v >= 0, whose sum is at most the radius.
    """
    found = optimize.linprog(
        np.concatenate([-slope, slope]),
        A_ub=np.ones((1, 2 * slope.size)),
        b_ub=[radius],
        bounds=[(0, most) for most in (*high, *-low)],
    )
    rise, fall = np.split(found.x, 2)
    return rise - fall


@pytest.mark.parametrize("from_change", [False, True])
@pytest.mark.parametrize("radius", [0.7, 4.5, 100.0])
@pytest.mark.parametrize("iteration", [0, 3])
def test_an_update_goes_towards_the_best_point(radius, iteration, from_change):
    found = frank_wolfe.update(
        tensors(CHANGE),
        tensors(GRADIENT),
        radius,
        bound=1.5,
        iteration=tf.constant(iteration),
        from_change=from_change,
    )
    assert [part.shape for part in found] == SHAPES
    rows = zip(vectors(found), vectors(CHANGE), vectors(GRADIENT))
    for moved, here, slope in rows:
        middle = here if from_change else np.zeros_like(here)
        best = farthest(slope, radius, -1.5 - middle, 1.5 - middle)
        expected = here + (best - here) / (iteration + 1)
        np.testing.assert_allclose(moved, expected, atol=1e-6)


def test_updates_average_the_points():
    change = [tf.zeros([1, 64])]
    for iteration, place in enumerate([0, 1, 0, 2]):
        gradient = [tf.one_hot([place], 64)]
        change = frank_wolfe.update(
            change, gradient, 2.0, 2.0, tf.constant(iteration)
        )
    np.testing.assert_allclose(change[0][0, :4], [1, 0.5, 0.5, 0], rtol=1e-6)


def test_updates_come_near_the_best_of_a_concave_function():
    aim = tf.constant(np.random.default_rng(1).uniform(-1, 1, (4, 5)))

    @tf.function
    def update(point, iteration):
        # The slope of -|x - aim|^2 / 2.
        return frank_wolfe.update([point], [aim - point], 1.0, 0.6, iteration)

    change = [tf.zeros_like(aim)]
    for iteration in range(400):
        change = update(change[0], tf.constant(iteration))
    for found, wanted in zip(change[0].numpy(), aim.numpy()):
        # The nearest point of the ball, parted as in `farthest`.
        best = optimize.minimize(
            lambda x, wanted=wanted: np.sum((x[:5] - x[5:] - wanted) ** 2),
            np.full(10, 0.05),
            bounds=[(0, 0.6)] * 10,
            constraints={"type": "ineq", "fun": lambda x: 1 - x.sum()},
        ).x
        np.testing.assert_allclose(found, best[:5] - best[5:], atol=0.03)
