"""Motion kernels against lines drawn pixel by pixel."""

import math

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from ijsat_tf.spaces import motion


def drawn(down, right, width, deviation, mirror):
    """A motion kernel, written from what it should look like."""
    long, short = max(down, right), min(down, right)
    half = width * math.sqrt(1 + short / long) / 4
    kernel = np.zeros((13, 13))
    for along in range(long + 1):
        for across in range(7):
            distance = abs(across - along * short / long)
            shade = min(max(1 + half - distance, 0), 1)
            row, column = (along, across) if down > right else (across, along)
            kernel[6 + row, 6 + column] = kernel[6 - row, 6 - column] = shade
    if mirror:
        kernel = kernel[:, ::-1]
    for axis in (0, 1):
        kernel = ndimage.gaussian_filter1d(
            kernel, deviation, axis=axis, radius=1, mode="constant"
        )
    return kernel


@pytest.mark.parametrize(
    "down, right, width",
    [(2, 6, 1), (6, 2, 3), (4, 4, 5), (6, 6, 1), (3, 2, 5)],
)
@pytest.mark.parametrize("mirror", [False, True])
def test_a_kernel_is_a_blurred_line(down, right, width, mirror):
    def of_each(number):
        return tf.fill([1, 7], float(number))

    found = motion.blurred_lines(
        tf.stack([of_each(down), of_each(right)], -1),
        of_each(width),
        of_each(0.5),
        tf.constant([mirror]),
    )
    expected = drawn(down, right, width, 0.5, mirror)
    np.testing.assert_allclose(found[0, 3], expected, atol=1e-6)


def test_kernels_are_drawn_as_in_the_original():
    draws = np.random.default_rng(0).uniform(-1, 1, (4000, 7, 4))
    calls = []

    def record(end, width, deviation, mirror):
        calls.extend(
            np.asarray(part) for part in (end, width, deviation, mirror)
        )
        return tf.zeros([1, 7, 13, 13])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(motion, "blurred_lines", record)
        motion.kernels(tf.constant(draws))
    end, width, deviation, mirror = calls
    for number in range(2, 7):
        np.testing.assert_allclose(np.mean(end == number), 0.2, atol=0.01)
    for number, share in ((1, 0.6), (3, 0.3), (5, 0.1)):
        np.testing.assert_allclose(np.mean(width == number), share, atol=0.01)
    assert 0.41 <= deviation.min() < deviation.max() <= 0.6
    np.testing.assert_allclose(deviation.mean(), 0.505, atol=0.002)
    np.testing.assert_allclose(mirror.mean(), 0.5, atol=0.05)
