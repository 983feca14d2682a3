"""Norms against NumPy, and projections against a minimisation by bisection."""

import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.attacks.least_distance.norms import NORMS

ORDERS = {"l1": 1, "l2": 2, "linf": np.inf}
DUALS = {"l1": np.inf, "l2": 2, "linf": 1}
CHANGE = np.random.default_rng(0).normal(size=(5, 3, 2, 2))
ROWS = CHANGE.reshape(5, -1)
RADII = np.array([0.0, 0.3, 1.0, 3.0, 100.0])


def nearest(name, row, radius):
    """The nearest change in the ball, by bisection where it is no formula."""
    if np.linalg.norm(row, ORDERS[name]) <= radius:
        return row
    if name == "linf":
        return np.clip(row, -radius, radius)
    if name == "l2":
        return radius * row / np.linalg.norm(row)
    low, high = 0.0, np.abs(row).max()
    for _ in range(60):
        middle = (low + high) / 2
        shrunk = np.sign(row) * np.maximum(np.abs(row) - middle, 0)
        too_long = np.abs(shrunk).sum() > radius
        low, high = (middle, high) if too_long else (low, middle)
    return shrunk


@pytest.mark.parametrize("name", NORMS)
def test_lengths_and_projections(name):
    norm, change = NORMS[name], tf.constant(CHANGE)
    for found, order in ((norm.length, ORDERS), (norm.dual, DUALS)):
        expected = np.linalg.norm(ROWS, order[name], axis=1)
        np.testing.assert_allclose(found(change), expected)
    found = norm.project(change, tf.constant(RADII))
    assert found.shape == CHANGE.shape
    expected = [nearest(name, *each) for each in zip(ROWS, RADII)]
    np.testing.assert_allclose(
        np.reshape(found, ROWS.shape), expected, atol=1e-9
    )
