"""Distances of Gaussians that are known."""

import numpy as np
import pytest
from scipy import linalg

from ijsat_tf.evaluation import frechet_distance

RANDOM = np.random.default_rng(0)


def exactly(mean, covariance, count=50):
    """Features that have this mean and covariance, both exactly."""
    noise = RANDOM.normal(size=(count, len(mean)))
    noise -= noise.mean(axis=0)
    white = noise @ np.linalg.inv(np.linalg.cholesky(np.cov(noise.T))).T
    return white @ np.linalg.cholesky(covariance).T + mean


def random_covariance(size):
    root = RANDOM.normal(size=(size, size))
    return root @ root.T + 0.1 * np.eye(size)


def test_of_one_number_it_is_the_distance_of_means_and_deviations():
    one = 2 + 3 * np.array([-1, 0, 1.0])[:, np.newaxis]
    other = -1 + 0.5 * np.array([-1, 0, 1.0])[:, np.newaxis]
    found = frechet_distance(one, other)
    assert found == pytest.approx(3**2 + 2.5**2)


def test_of_independent_numbers_it_is_the_sum():
    deviations = RANDOM.uniform(0.5, 2, (2, 4))
    means = RANDOM.normal(size=(2, 4))
    sets = [exactly(m, np.diag(d**2)) for m, d in zip(means, deviations)]
    expected = np.sum(np.square(means[0] - means[1]))
    expected += np.sum(np.square(deviations[0] - deviations[1]))
    assert frechet_distance(*sets) == pytest.approx(expected)


def test_against_the_square_root_of_scipy():
    covariances = random_covariance(6), random_covariance(6)
    means = RANDOM.normal(size=(2, 6))
    sets = [exactly(m, c) for m, c in zip(means, covariances)]
    shared = linalg.sqrtm(covariances[0] @ covariances[1])
    expected = np.sum(np.square(means[0] - means[1]))
    expected += np.trace(sum(covariances) - 2 * shared.real)
    assert frechet_distance(*sets) == pytest.approx(expected)
    assert frechet_distance(*sets[::-1]) == pytest.approx(expected)


def test_a_set_has_no_distance_from_itself_even_when_degenerate():
    features = RANDOM.normal(size=(9, 3)) @ RANDOM.normal(size=(3, 40))
    assert frechet_distance(features, features) == pytest.approx(0, abs=1e-6)
    moved = features.astype("float32") + 1
    assert frechet_distance(moved, features) == pytest.approx(40, rel=1e-4)


@pytest.mark.parametrize(
    "shapes", [((5,), (5,)), ((1, 3), (5, 3)), ((5, 3), (5, 4))]
)
def test_other_shapes_are_refused(shapes):
    with pytest.raises(ValueError, match="`features`"):
        frechet_distance(*(np.zeros(shape) for shape in shapes))


def test_what_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="`others` must be finite"):
        frechet_distance(np.zeros((4, 2)), np.full((4, 2), np.nan))
