"""Noise that is drawn anew for every value of an image.

Here and in the files beside this one an image x is (H, W, C), float64 in
[0, 1], C 1 or 3; results are clipped by the caller.
"""

import numpy as np


def gaussian_noise(
    image: np.ndarray, random: np.random.RandomState, deviation: float
) -> np.ndarray:
    """x + n, n ~ N(0, deviation^2)."""
    return image + random.normal(scale=deviation, size=image.shape)


def shot_noise(
    image: np.ndarray, random: np.random.RandomState, photons: float
) -> np.ndarray:
    """n / photons, n ~ Poisson(photons x)."""
    return random.poisson(image * photons) / photons


def impulse_noise(
    image: np.ndarray, random: np.random.RandomState, fraction: float
) -> np.ndarray:
    """A fraction of the values becomes 0 or 1, with equal chances."""
    hit = random.random_sample(image.shape) <= fraction
    return np.where(hit, random.random_sample(image.shape) <= 0.5, image)
