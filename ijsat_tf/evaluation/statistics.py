"""Confidence intervals and tests of accuracies and their differences.

The intervals tell how far the numbers would move on other images. Training runs
also differ from each other, which the record of a single run cannot tell.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from ijsat_tf import checks

_Z = NormalDist().inv_cdf(0.975)


def interval(scores: np.ndarray) -> tuple[float, float]:
    """Returns Wilson's 95 % confidence interval of a mean score.

    For an accuracy p of N images, the interval holds the p' that a score test
    does not reject, |p - p'| <= z sqrt(p' (1 - p') / N). Exact intervals
    (Clopper and Pearson) never cover less than 95 %, and so cover more;
    Wilson's intervals cover 95 % on average, and stay sensible at 0 and 1. A
    mean over several attacks on the same images has scores between 0 and 1,
    one per image. N is then replaced by N p (1 - p) / variance(scores), the
    effective sample size of survey statistics, which is N itself where all
    scores are 0 or 1.

    Args:
        scores: Scores (N,) in [0, 1]: whether an image was right, or the share
            of attacks under which the image was right.

    Returns:
        The lower and the upper limit of the interval, in [0, 1].

    Raises:
        ValueError: for scores of another shape or range, or no scores.

    Source: E. B. Wilson, Probable Inference, the Law of Succession, and
    Statistical Inference, 1927; for Wilson's against exact intervals L. D.
    Brown, T. T. Cai and A. DasGupta, Interval Estimation for a Binomial
    Proportion, 2001; for the effective sample size N. Dean and M. Pagano,
    Evaluating Confidence Interval Methods for Binomial Proportions in
    Clustered Surveys, 2015.
    """
    scores = _checked(scores)
    mean = scores.mean()
    binary = mean * (1 - mean)
    reach = _Z**2 / len(scores) * (scores.var() / binary if binary else 1.0)
    half = math.sqrt(reach * binary + reach**2 / 4)
    low = (mean + reach / 2 - half) / (1 + reach)
    high = (mean + reach / 2 + half) / (1 + reach)
    return max(0.0, float(low)), min(1.0, float(high))


def difference_interval(
    first: np.ndarray, second: np.ndarray
) -> tuple[float, float]:
    """Returns a 95 % confidence interval of mean(second) - mean(first).

    Both rows of scores are of the same images. With the difference d, the
    intervals (l, u) of both means p, and the correlation phi of the scores,

        low  = d - sqrt((p2 - l2)^2 - 2 phi (p2 - l2) (u1 - p1) + (u1 - p1)^2)
        high = d + sqrt((u2 - p2)^2 - 2 phi (u2 - p2) (p1 - l1) + (p1 - l1)^2)

    where a positive covariance is first reduced by 1 / (2 N), but not below
    0. For two rows that are right on the same images, the result is then an
    interval and not a point.

    Args:
        first: Scores (N,) in [0, 1], as for `interval`.
        second: Scores (N,) in [0, 1], as for `interval`, in the same order of
            images.

    Returns:
        The lower and the upper limit of the interval, in [-1, 1].

    Raises:
        ValueError: for scores that `interval` refuses, or of different lengths.

    Source: R. G. Newcombe, Improved Confidence Intervals for the Difference
    between Binomial Proportions Based on Paired Data, 1998, method 10.
    """
    first, second = _pair(first, second)
    mean1, mean2 = first.mean(), second.mean()
    (low1, high1), (low2, high2) = interval(first), interval(second)
    covariance = (first * second).mean() - mean1 * mean2
    if covariance > 0:
        covariance = max(0.0, covariance - 1 / (2 * len(first)))
    spread = first.std() * second.std()
    phi = covariance / spread if spread else 0.0

    def reach(one: float, other: float) -> float:
        square = one**2 - 2 * phi * one * other + other**2
        return math.sqrt(max(0.0, square))

    change = mean2 - mean1
    return (
        float(change - reach(mean2 - low2, high1 - mean1)),
        float(change + reach(high2 - mean2, mean1 - low1)),
    )


def mcnemar(first: np.ndarray, second: np.ndarray) -> float:
    """Returns the p-value of McNemar's exact test of two rows.

    Of the n images that only one of the rows has right, the first row has b
    right and the second row c. The p-value is the probability of a split at
    least as unequal as b and c, if both rows were equally right:
    p = min(1, 2 sum_{k <= min(b, c)} C(n, k) / 2^n).

    Args:
        first: Whether each image was right in the first row, (N,) bool.
        second: Whether each image was right in the second row, (N,) bool, in
            the same order of images.

    Returns:
        The two-sided p-value, in [0, 1].

    Raises:
        ValueError: for values other than 0 and 1, or different lengths.

    Source: Q. McNemar, Note on the Sampling Error of the Difference between
    Correlated Proportions or Percentages, 1947, with binomial probabilities.
    """
    first, second = _pair(first, second)
    checks.require(
        np.isin([first, second], (0, 1)).all(),
        "`first` and `second` must be right or wrong, 1 or 0, for McNemar's "
        "test; use `difference_interval` for scores between 0 and 1.",
    )
    only = int((first > second).sum()), int((first < second).sum())
    ways, tail = 1, 0
    for k in range(min(only) + 1):
        tail += ways
        ways = ways * (sum(only) - k) // (k + 1)
    # Python's whole numbers have no bound; floats would overflow at 2^1024.
    return min(1.0, 2 * tail / 2 ** sum(only))


def _pair(
    first: np.ndarray, second: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    first, second = _checked(first), _checked(second)
    checks.require(
        len(first) == len(second),
        "`first` and `second` must have the same length, one score per image; "
        "evaluate both models on the same images.",
        f"{len(first)} and {len(second)} images",
    )
    return first, second


def _checked(scores: np.ndarray) -> np.ndarray:
    scores = np.asarray(scores, np.float64)
    checks.require(
        scores.ndim == 1 and scores.size,
        "`scores` must have shape (N,), one score per image.",
        f"shape {scores.shape}",
    )
    checks.require(
        ((scores >= 0) & (scores <= 1)).all(),
        "`scores` must lie in [0, 1], without NaN.",
    )
    return scores
