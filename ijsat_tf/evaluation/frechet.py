"""The Frechet distance of two sets of images in a network's features."""

from __future__ import annotations

from typing import Any

import numpy as np

from ijsat_tf import checks


def frechet_distance(features: Any, others: Any) -> float:
    """The squared Frechet distance of two Gaussians fitted to features.

    |m - m'|^2 + tr(C + C' - 2 (C^1/2 C' C^1/2)^1/2)

    with means m, m' and covariances C, C' (of N - 1 degrees of freedom), in
    float64. With features of an Inception network the distance is the FID.
    Distances in the features of different networks, or of sets of different
    sizes, cannot be compared.

    Args:
        features: Features (N, D) of the first set, with N at least 2. N < D is
            legal, and the distance is then biased upwards.
        others: Features (M, D) of the second set, with M at least 2.

    Returns:
        The distance, 0 or more.

    Raises:
        ValueError: for other shapes, or features that are not finite.

    Source: Dowson and Landau, The Frechet Distance between Multivariate
    Normal Distributions, 1982; Heusel et al., GANs Trained by a Two
    Time-Scale Update Rule, 2017.
    """
    features = _legal("features", features)
    others = _legal("others", others)
    checks.require(
        features.shape[1] == others.shape[1],
        "`features` and `others` must have the same number of columns; take "
        "both from the same network.",
        features.shape,
        others.shape,
    )
    shift = features.mean(axis=0) - others.mean(axis=0)
    covariance, other = _covariance(features), _covariance(others)
    # C C' is not symmetric, and its square root need not be real in floating
    # point; this product has the same eigenvalues, and is symmetric.
    root = _square_root(covariance)
    shared = np.trace(_square_root(root @ other @ root))
    distance = shift @ shift + np.trace(covariance + other) - 2 * shared
    return max(0.0, float(distance))


def _legal(name: str, features: Any) -> np.ndarray:
    features = np.asarray(features, np.float64)
    checks.require(
        features.ndim == 2 and len(features) >= 2 and features.shape[1] >= 1,
        f"`{name}` must have shape (N, D) with N of at least 2; flatten "
        "images, or pool the outputs of a network.",
        features.shape,
    )
    checks.require(
        np.isfinite(features).all(),
        f"`{name}` must be finite, and some are NaN or infinite; check the "
        "images and the network.",
    )
    return features


def _covariance(features: np.ndarray) -> np.ndarray:
    return np.atleast_2d(np.cov(features, rowvar=False))


def _square_root(symmetric: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh((symmetric + symmetric.T) / 2)
    # Rounding makes eigenvalues of 0 negative.
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
