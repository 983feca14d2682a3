"""Gabor noise against SciPy's convolution and Fourier transform."""

import math

import numpy as np
import pytest
import tensorflow as tf
from scipy import fft, signal

from ijsat_tf.spaces import Gabor, gabor


def images_of(shape, count=3):
    draws = np.random.default_rng(0).random((count, *shape))
    return draws.astype("float32")


def scene(space, shape, count=3):
    images = tf.constant(images_of(shape, count))
    context = space.prepare(images, None)
    return images, context, space.start(context, tf.constant([1, 2]))


@pytest.mark.parametrize("number", [1, 3, 10])
def test_kernels_are_sums_of_gabor_functions(number):
    width, frequency, angle = 0.25, 4.5, 0.7
    found = gabor.gabor_kernels(
        *(tf.constant([float(n)]) for n in (number, width, frequency, angle))
    )[0]
    line = np.linspace(-0.5, 0.5, 23)
    for row, column in ((0, 0), (3, 17), (11, 11), (20, 8)):
        y, x = line[row], line[column]
        bell = math.exp(-(x * x + y * y) / (2 * (width + 1e-3) ** 2))
        expected = bell * sum(
            math.cos(
                2
                * math.pi
                * frequency
                * (
                    x * math.cos(angle + math.pi * n / number)
                    + y * math.sin(angle + math.pi * n / number)
                )
            )
            for n in range(number)
        )
        np.testing.assert_allclose(found[row, column], expected, atol=1e-5)


def evened(noise):
    """The original's normalisation, with its two Fourier transforms."""
    mean = noise.mean()
    spectrum = fft.rfft2((noise - mean) ** 2)
    contrast = np.sqrt(np.abs(fft.irfft2(spectrum, s=noise.shape)))
    contrast /= contrast.max()
    noise = mean + (noise - mean) * 1.001 / (0.001 + contrast)
    return (noise - noise.min()) / np.ptp(noise)


@pytest.mark.parametrize("shape", [(8, 8, 1), (28, 28, 1), (12, 31, 3)])
def test_it_is_a_convolution_evened_out(shape):
    space = Gabor(51.0)
    images, context, change = scene(space, shape)
    found = space.apply(images, change, context)
    maps, _, kernels = (part.numpy().astype("float64") for part in change)
    expected = [
        image
        + 0.2 * evened(signal.correlate(spikes, kernel, "same"))[..., None]
        if min(shape[:2]) >= 23
        else image
        + 0.2
        * evened(signal.correlate(np.pad(spikes, 11), kernel, "valid"))[
            ..., None
        ]
        for image, spikes, kernel in zip(images.numpy(), maps, kernels)
    ]
    # Where the noise is near its mean, rounding grows a thousandfold.
    gap = np.abs(found - expected)
    assert gap.mean() < 1e-4 and np.mean(gap > 1e-3) < 0.02


@pytest.mark.parametrize("shape", [(8, 8, 1), (32, 32, 3)])
def test_the_start_is_sparse(shape):
    _, _, (maps, may_change, kernels) = scene(Gabor(10.0), shape, 200)
    spikes = np.count_nonzero(may_change, axis=(1, 2))
    assert set(spikes) == {math.ceil(shape[0] * shape[1] / 14)}
    np.testing.assert_array_equal(np.asarray(maps) != 0, may_change)
    np.testing.assert_allclose(np.mean(may_change, axis=0).std(), 0, atol=0.03)
    heights = np.asarray(maps)[np.asarray(maps) != 0]
    np.testing.assert_allclose(heights.mean(), 0, atol=0.05)
    np.testing.assert_allclose(heights.std(), 1 / math.sqrt(3), rtol=0.05)
    assert kernels.shape == (200, 23, 23)


def test_kernels_are_drawn_as_in_the_original():
    draws = np.random.default_rng(0).uniform(-1, 1, (5000, 4))
    calls = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            gabor, "gabor_kernels", lambda *given: calls.extend(given)
        )
        gabor.kernels(tf.constant(draws))
    number, width, frequency, angle = (np.asarray(part) for part in calls)
    np.testing.assert_array_equal(np.unique(number), np.arange(1, 11))
    for part, low, high in (
        (number, 1, 10),
        (width, 0.1, 0.4),
        (frequency, 3, 5.75),
        (angle, 0, math.pi),
    ):
        assert low <= part.min() < part.max() <= high
        np.testing.assert_allclose(part.mean(), (low + high) / 2, rtol=0.03)


@pytest.mark.parametrize("reference", [False, True])
def test_what_an_update_may_change(reference):
    space = Gabor(10.0, step=0.3, reference=reference)
    _, _, change = scene(space, (8, 8, 1))
    signs = [tf.ones_like(part) for part in change]
    moved = space.update(change, signs, None, tf.constant(0))
    spikes = change[0] != 0
    if reference:
        expected = np.where(spikes, 0, 0.3)
    else:
        expected = np.where(spikes, np.minimum(change[0] + 0.3, 1), 0)
    np.testing.assert_allclose(moved[0], expected)
    for part, before in zip(moved[1:], change[1:]):
        np.testing.assert_array_equal(part, before)
    np.testing.assert_array_equal(space.measure(moved)["gabor"], [10] * 3)


def test_no_budget_or_no_spikes_give_the_image():
    images, context, change = scene(Gabor(0.0), (8, 8, 2))
    found = Gabor(0.0).apply(images, change, context)
    np.testing.assert_array_equal(found, images)
    none = [tf.zeros_like(change[0]), *change[1:]]
    found = Gabor(50.0).apply(images, none, context)
    np.testing.assert_array_equal(found, images)


def test_the_noise_only_brightens_and_reaches_the_budget():
    images, context, change = scene(Gabor(51.0), (8, 8, 3))
    added = Gabor(51.0).apply(images, change, context) - images
    np.testing.assert_allclose(np.max(added, axis=(1, 2, 3)), 0.2, atol=1e-6)
    np.testing.assert_allclose(np.min(added, axis=(1, 2, 3)), 0, atol=1e-6)


def test_gradients_take_the_factors_as_constant():
    images, context, change = scene(Gabor(51.0), (8, 8, 1))
    weights = np.random.default_rng(2).normal(size=images.shape)
    with tf.GradientTape() as tape:
        tape.watch(change[0])
        moved = Gabor(51.0).apply(images, change, context)
        objective = tf.reduce_sum(weights * moved)
    found = tape.gradient(objective, change[0])
    for row in range(3):
        noise = gabor.convolved(*(change[n][row : row + 1] for n in (0, 2)))
        noise = noise[0].numpy().astype("float64")
        contrast = np.abs(noise - noise.mean())
        gain = 1.001 / (0.001 + contrast / contrast.max())
        evened = noise.mean() + (noise - noise.mean()) * gain
        slope = 0.2 * weights[row, ..., 0] * gain / np.ptp(evened)
        kernel = change[2][row].numpy()
        expected = signal.convolve(np.pad(slope, 11), kernel, "valid")
        np.testing.assert_allclose(found[row], expected, rtol=0.01, atol=1e-3)
