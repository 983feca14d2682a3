"""Noise that is drawn independently for every value of an image.

Here and in the other files of this folder an image x is (H, W, C), float64 in
[0, 1], C 1 or 3; the caller clips results.
"""

import numpy as np


def gaussian_noise(
    image: np.ndarray, random: np.random.RandomState, deviation: float
) -> np.ndarray:
    """Adds Gaussian noise, x + n, n ~ N(0, deviation^2)."""
    return image + random.normal(scale=deviation, size=image.shape)


def shot_noise(
    image: np.ndarray, random: np.random.RandomState, photons: float
) -> np.ndarray:
    """Draws n / photons, n ~ Poisson(photons x)."""
    return random.poisson(image * photons) / photons


def impulse_noise(
    image: np.ndarray, random: np.random.RandomState, fraction: float
) -> np.ndarray:
    """Sets a fraction of the values to 0 or 1, with equal chances."""
    hit = random.random_sample(image.shape) <= fraction
    return np.where(hit, random.random_sample(image.shape) <= 0.5, image)
