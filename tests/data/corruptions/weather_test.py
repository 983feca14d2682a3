"""Weather against the formulas of its colours and landscapes."""

import colorsys

import numpy as np
import pytest

import ijsat_tf as ij
from tests.golden import make_corruptions

weather = pytest.importorskip("ijsat_tf.data.corruptions.weather")
DRAWN = make_corruptions.drawn()


def snowed(image, threshold):
    return weather.snow(
        image,
        np.random.RandomState(0),
        mean=0.3,
        deviation=0.3,
        zoom=1.25,
        threshold=threshold,
        radius=6,
        blur=3,
        kept=0.7,
    )


def test_without_flakes_snow_whitens():
    image = np.array([[[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.2, 0.9, 0.1]]])
    image = np.tile(image, (9, 3, 1))
    # By 1.5 grey + 0.5, where that is more; red's grey is 0.299.
    grey = 0.299 * 0.2 + 0.587 * 0.9 + 0.114 * 0.1
    bright = 0.3 * (1.5 * grey + 0.5)
    expected = np.array(
        [
            [0.15, 0.15, 0.15],
            [0.7 + 0.3, 0.3 * 0.9485, 0.3 * 0.9485],
            [0.14 + bright, 0.63 + bright, 0.07 + bright],
        ]
    )
    found = snowed(image, threshold=2)
    np.testing.assert_allclose(found, np.tile(expected, (9, 3, 1)), rtol=1e-12)


def test_flakes_are_white_and_the_same_upside_down():
    image = DRAWN[0] / 255
    flakes = snowed(image, threshold=0.6) - snowed(image, threshold=2)
    assert flakes.min() > -1e-12 and flakes.max() > 0.2
    np.testing.assert_allclose(flakes, flakes[::-1, ::-1], atol=1e-12)
    np.testing.assert_allclose(np.ptp(flakes, axis=-1), 0, atol=1e-12)


def test_frost_adds_a_fifth_of_icy_colours_at_severity_1():
    black = np.zeros((400, 32, 32, 3), np.uint8)
    ice = ij.data.corrupt(black, "frost", 1) / 0.2
    colours = np.array([[77, 148, 165], [198, 203, 212], [199, 203, 212]])
    colours = np.concatenate([colours, [[144, 159, 171], [102, 113, 125]]])
    mean = ice.mean((0, 1, 2)) + 2.5
    np.testing.assert_allclose(mean, colours.mean(0), rtol=0.05)


def test_fog_keeps_the_maximum_and_covers_the_plane():
    bright = np.full((20, 32, 32, 1), 255, np.uint8)
    foggy = ij.data.corrupt(bright, "fog", 5)
    # (1 + 1.5 f) / 2.5 with f from 0 to 1 in each image.
    np.testing.assert_array_equal(foggy.max((1, 2, 3)), 255)
    np.testing.assert_array_equal(foggy.min((1, 2, 3)), 255 * 4 // 10)
    black = np.zeros((1, 32, 32, 3), np.uint8)
    np.testing.assert_array_equal(ij.data.corrupt(black, "fog", 5), black)


def test_plasma_is_smoother_where_it_decays_faster():
    def steepness(decay):
        random = np.random.RandomState(0)
        maps = [weather.plasma(32, random, decay) for _ in range(50)]
        assert np.min(maps) == 0 and np.max(maps) == 1
        return np.mean(np.abs(np.diff(maps)))

    assert steepness(3) < 0.9 * steepness(2) < 0.7 * steepness(1.5)


@pytest.mark.parametrize("severity, added", enumerate((0.05, 0.1, 0.15), 1))
def test_brightness_adds_to_the_value_of_every_pixel(severity, added):
    bright = ij.data.corrupt(DRAWN, "brightness", severity)

    def one(pixel):
        hue, saturation, value = colorsys.rgb_to_hsv(*pixel / 255)
        return colorsys.hsv_to_rgb(hue, saturation, min(value + added, 1))

    expected = np.apply_along_axis(one, -1, DRAWN)
    np.testing.assert_allclose(bright, 255 * expected - 0.5, atol=0.51)
