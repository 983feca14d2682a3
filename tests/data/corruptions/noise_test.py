"""Noise against the moments of its distribution."""

import numpy as np

import ijsat_tf as ij

GREY = np.full((40, 32, 32, 3), 128, np.uint8)


def test_gaussian_noise_has_its_deviation():
    noise = ij.data.corrupt(GREY, "gaussian_noise", 3) / 255 - 128 / 255
    np.testing.assert_allclose(noise.std(), 0.08, rtol=0.02)
    # Truncation takes half a level.
    np.testing.assert_allclose(noise.mean(), -0.5 / 255, atol=1e-3)


def test_shot_noise_has_the_variance_of_photons():
    noise = ij.data.corrupt(GREY, "shot_noise", 5) / 255
    np.testing.assert_allclose(noise.var(), 128 / 255 / 50, rtol=0.03)


def test_impulse_noise_hits_a_fraction_half_of_it_white():
    hit = ij.data.corrupt(GREY, "impulse_noise", 4)
    np.testing.assert_allclose((hit == 0).mean(), 0.025, rtol=0.05)
    np.testing.assert_allclose((hit == 255).mean(), 0.025, rtol=0.05)
    assert (hit == 128).mean() == 1 - (hit == 0).mean() - (hit == 255).mean()
