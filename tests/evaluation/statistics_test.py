"""Intervals and the test against SciPy, published examples and enumeration."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from ijsat_tf.evaluation.statistics import (
    difference_interval,
    interval,
    mcnemar,
)

RANDOM = np.random.default_rng(0)


def _accuracy(right, total):
    return np.arange(total) < right


def _paired(both, first, second, neither):
    """Rows by how many images both, one or none of them has right."""
    counts = [both, first, second, neither]
    return (
        np.repeat([True, True, False, False], counts),
        np.repeat([True, False, True, False], counts),
    )


@pytest.mark.parametrize(
    ("right", "total"),
    [
        (0, 1),
        (1, 1),
        (0, 10_000),
        (1, 10_000),
        (4985, 10_000),
        (9999, 10_000),
        (10_000, 10_000),
    ],
)
def test_intervals_of_accuracies_are_those_of_scipy(right, total):
    expected = stats.binomtest(right, total).proportion_ci(method="wilson")
    np.testing.assert_allclose(
        interval(_accuracy(right, total)), expected, atol=1e-12
    )


@pytest.mark.parametrize(
    ("right", "total", "expected"),
    [
        (81, 263, (0.2553, 0.3662)),
        (15, 148, (0.0624, 0.1605)),
        (0, 20, (0, 0.1611)),
        (1, 29, (0.0061, 0.1718)),
    ],
)
def test_newcombe_s_examples_of_wilson_s_interval(right, total, expected):
    """Two-sided Confidence Intervals for the Single Proportion, 1998."""
    np.testing.assert_allclose(
        interval(_accuracy(right, total)), expected, atol=5e-5
    )


def test_a_mean_of_equal_attacks_is_known_as_well_as_one_of_them():
    scores = RANDOM.random(500) < 0.3
    mean = np.mean([scores, scores, scores], axis=0)
    np.testing.assert_allclose(interval(mean), interval(scores), atol=1e-12)


def test_intervals_of_means_cover_what_they_should():
    """Images are easy or hard, and seven attacks agree on most of them."""
    covered = 0
    for _ in range(2000):
        ease = RANDOM.beta(0.5, 1.0, 60)
        scores = (RANDOM.random((7, 60)) < ease).mean(axis=0)
        low, high = interval(scores)
        covered += low <= 1 / 3 <= high
    assert 0.93 < covered / 2000 < 0.97


def test_for_many_images_both_are_the_normal_interval():
    first, second = RANDOM.random((2, 10_000)) * [[0.5], [0.7]]
    for limits, scores in (
        (interval(first), first),
        (difference_interval(first, second), second - first),
    ):
        error = 1.96 * scores.std() / 100
        np.testing.assert_allclose(
            limits, [scores.mean() - error, scores.mean() + error], atol=2e-4
        )


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        # M. W. Fagerland, S. Lydersen and P. Laake, Recommended Tests and
        # Confidence Intervals for Paired Binomial Proportions, 2014.
        ((1, 1, 7, 12), (0.026, 0.507)),
        # The same authors' Statistical Analysis of Contingency Tables, 2017.
        ((59, 6, 16, 80), (0.0046, 0.1186)),
    ],
)
def test_published_intervals_of_differences(counts, expected):
    first, second = _paired(*counts)
    digits = 5e-4 if len(first) < 100 else 5e-5
    np.testing.assert_allclose(
        difference_interval(first, second), expected, atol=digits
    )
    low, high = difference_interval(second, first)
    np.testing.assert_allclose((-high, -low), expected, atol=digits)


@pytest.mark.sampled
@pytest.mark.parametrize(
    "shares", [(0.4, 0.05, 0.1, 0.45), (0.1, 0.1, 0.1, 0.7), (0, 0.3, 0.5, 0.2)]
)
def test_intervals_of_differences_cover_what_they_should(shares):
    """Summed over every table of 25 images, weighted by its probability."""
    covered, true = 0.0, shares[2] - shares[1]
    for both, first, second in itertools.product(range(26), repeat=3):
        neither = 25 - both - first - second
        if neither < 0:
            continue
        counts = both, first, second, neither
        weight = stats.multinomial.pmf(counts, 25, shares)
        if weight > 1e-7:
            low, high = difference_interval(*_paired(*counts))
            covered += weight * (low <= true <= high)
    assert 0.94 < covered < 0.985


def test_rows_right_on_the_same_images_differ_by_an_interval():
    same = _accuracy(30, 100)
    low, high = difference_interval(same, same)
    assert -0.05 < low < 0 < high < 0.05
    assert math.isclose(low, -high)


@pytest.mark.parametrize("right", [0, 10])
def test_rows_all_right_or_all_wrong(right):
    same = _accuracy(right, 10)
    low, high = difference_interval(same, same)
    width = np.subtract(*interval(same)[::-1])
    np.testing.assert_allclose([low, high], [-width, width], atol=1e-12)


@pytest.mark.parametrize(
    ("first", "second"),
    [(0, 0), (1, 0), (5, 5), (1, 7), (6, 16), (350, 420), (2000, 2010)],
)
def test_the_test_is_scipy_s_of_a_half(first, second):
    expected = (
        stats.binomtest(first, first + second).pvalue if first + second else 1
    )
    rows = _paired(20, first, second, 30)
    assert mcnemar(*rows) == pytest.approx(expected, rel=1e-10)
    assert mcnemar(*reversed(rows)) == mcnemar(*rows)


def test_fagerland_s_example_of_the_test():
    assert mcnemar(*_paired(1, 1, 7, 12)) == pytest.approx(0.0703, abs=5e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: interval(np.zeros(0)), "shape \\(N,\\)"),
        (lambda: interval(np.zeros((2, 2))), "shape \\(N,\\)"),
        (lambda: interval([0.5, 1.5]), "in \\[0, 1\\]"),
        (lambda: interval([0.5, np.nan]), "in \\[0, 1\\]"),
        (lambda: difference_interval([1, 0], [1]), "same images.*2 and 1"),
        (lambda: mcnemar([1, 0], [1]), "same images"),
        (lambda: mcnemar([0.5], [1]), "right or wrong"),
    ],
)
def test_scores_that_do_not_fit_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
