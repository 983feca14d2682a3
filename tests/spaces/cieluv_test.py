"""CIELUV against published values, and there and back again."""

import itertools

import numpy as np
import tensorflow as tf

from ijsat_tf.spaces import cieluv
from tests import slopes

# L*, u* and v* of sRGB's primaries and white, for the white point D65.
PUBLISHED = {
    (1, 0, 0): (53.24, 175.01, 37.76),
    (0, 1, 0): (87.74, -83.08, 107.40),
    (0, 0, 1): (32.30, -9.41, -130.34),
    (1, 1, 0): (97.14, 7.71, 106.79),
    (1, 1, 1): (100.0, 0.0, 0.0),
    (0, 0, 0): (0.0, 0.0, 0.0),
}


def luv(pixel):
    """The closed formulas, for one pixel, in the units of the standard."""
    linear = [
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4
        for each in pixel
    ]
    x, y, z = cieluv.TO_XYZ @ linear
    white = cieluv.TO_XYZ.sum(1)
    lightness = (
        (29 / 3) ** 3 * y if y <= (6 / 29) ** 3 else 116 * np.cbrt(y) - 16
    )

    def chromaticity(x, y, z):
        return np.array([4 * x, 9 * y]) / (x + 15 * y + 3 * z)

    apart = chromaticity(x, y, z) - chromaticity(*white)
    return np.array([lightness, *13 * lightness * apart])


def scaled(colours):
    return (np.array(colours) + [0, 100, 100]) / [100, 200, 200]


def all_colours(steps=9):
    """Colours of the whole cube, with its corners and dark ones."""
    grid = np.linspace(0, 1, steps) ** 2
    pixels = np.array([*itertools.product(grid, repeat=3)])
    return pixels.reshape(1, steps, steps**2, 3)


def test_published_values_of_the_primaries():
    pixels = np.array([*PUBLISHED], float)[None, None]
    found = cieluv.from_rgb(tf.constant(pixels))[0, 0]
    expected = scaled([*PUBLISHED.values()])
    np.testing.assert_allclose(found, expected, atol=5e-4)


def test_the_closed_formulas_of_any_colour():
    pixels = all_colours()[:, :, 1:]  # 0 / 0 has no chromaticity.
    found = cieluv.from_rgb(tf.constant(pixels))
    expected = [luv(pixel) for pixel in pixels.reshape(-1, 3)[8:]]
    np.testing.assert_allclose(
        np.reshape(found, (-1, 3))[8:], scaled(expected), atol=1e-9
    )


def test_there_and_back_again():
    pixels = all_colours()
    for dtype, tolerance in (("float64", 1e-9), ("float32", 2e-5)):
        images = tf.constant(pixels, dtype)
        found = cieluv.to_rgb(cieluv.from_rgb(images))
        np.testing.assert_allclose(found, images, atol=tolerance)


def test_dark_colours_beyond_srgb_stay_dark():
    """Within 12 of u* and v* from grey, no channel gets above 64 of 255."""
    steps = np.linspace(-12, 12, 25)
    colours = [*itertools.product(np.linspace(0, 5, 51), steps, steps)]
    found = cieluv.to_rgb(tf.constant(scaled(colours)[None, None]))
    assert np.max(found) < 64 / 255


def test_gradients_are_those_of_finite_differences():
    pixels = np.random.default_rng(0).uniform(0.1, 0.9, (1, 3, 4, 3))
    pixels[0, 0, 0] = 0.02  # The linear pieces.
    weights = np.random.default_rng(1).normal(size=pixels.shape)
    slopes.check(lambda x: tf.reduce_sum(weights * cieluv.from_rgb(x)), pixels)
    colours = cieluv.from_rgb(tf.constant(pixels))
    slopes.check(lambda x: tf.reduce_sum(weights * cieluv.to_rgb(x)), colours)


def test_values_and_gradients_are_finite_for_any_colour():
    """Also for those that no screen shows."""
    axis = np.linspace(-0.2, 1.2, 15)
    colours = np.array([*itertools.product(axis, repeat=3)], "float32")
    images = all_colours().astype("float32")
    for function, given in (
        (cieluv.to_rgb, colours.reshape(1, 15, -1, 3)),
        (cieluv.from_rgb, images),
        (lambda x: cieluv.to_rgb(cieluv.from_rgb(x)), images),
    ):
        given = tf.constant(given)
        with tf.GradientTape() as tape:
            tape.watch(given)
            found = function(given)
        assert np.isfinite(found).all()
        assert np.isfinite(tape.gradient(found, given)).all()
