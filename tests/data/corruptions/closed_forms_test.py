"""Corruptions against their formulas."""

import colorsys

import numpy as np
import pytest

import ijsat_tf as ij
from tests.golden import make_corruptions

blur = pytest.importorskip("ijsat_tf.data.corruptions.blur")
weather = pytest.importorskip("ijsat_tf.data.corruptions.weather")
DRAWN = make_corruptions.drawn()
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


@pytest.mark.parametrize("severity, added", enumerate((0.05, 0.1, 0.15), 1))
def test_brightness_adds_to_the_value_of_every_pixel(severity, added):
    bright = ij.data.corrupt(DRAWN, "brightness", severity)

    def one(pixel):
        hue, saturation, value = colorsys.rgb_to_hsv(*pixel / 255)
        return colorsys.hsv_to_rgb(hue, saturation, min(value + added, 1))

    expected = np.apply_along_axis(one, -1, DRAWN)
    np.testing.assert_allclose(bright, 255 * expected - 0.5, atol=0.51)


def test_contrast_shrinks_towards_the_mean_of_each_channel():
    x = DRAWN / 255
    mean = x.mean((1, 2), keepdims=True)
    expected = 255 * (mean + 0.15 * (x - mean))
    flat = ij.data.corrupt(DRAWN, "contrast", 5)
    np.testing.assert_allclose(flat, expected - 0.5, atol=0.51)


def test_pixelate_keeps_an_even_image_and_has_as_many_boxes():
    np.testing.assert_array_equal(ij.data.corrupt(GREY, "pixelate", 5), GREY)
    slope = np.tile(np.arange(32, dtype=np.uint8), (32, 1))
    boxes = ij.data.corrupt(slope[np.newaxis, ..., np.newaxis], "pixelate", 5)
    # int(32 * 0.65) boxes over 32 pixels: some pixels lie in two.
    assert 20 <= len(np.unique(boxes)) < 32
    np.testing.assert_allclose(boxes.mean(), slope.mean(), atol=0.5)


@pytest.mark.parametrize("angle", [0, 90, -90, 45, -30])
def test_motion_draws_a_point_into_a_line_against_its_direction(angle):
    image = np.zeros((33, 33, 1))
    image[16, 16] = 1
    line = blur.moved(image, angle, radius=6, deviation=2)[..., 0]
    weights = np.exp(-(np.arange(13) ** 2) / 8)
    weights /= weights.sum()
    expected = np.zeros((33, 33))
    for place, weight in enumerate(weights):
        row = 16 - np.ceil(place * np.sin(np.pi * angle / 180) - 0.5)
        column = 16 - np.ceil(place * np.cos(np.pi * angle / 180) - 0.5)
        expected[int(row), int(column)] += weight
    np.testing.assert_allclose(line, expected, atol=1 / 255)
    assert line[16, 16] > 0.15


def test_zoom_keeps_the_middle_of_a_slope():
    slope = np.tile(np.linspace(-1, 1, 32)[:, np.newaxis, np.newaxis], (32, 1))
    np.testing.assert_allclose(blur.zoomed(slope, 1), slope)
    enlarged = blur.zoomed(slope, 1.25)
    np.testing.assert_allclose(enlarged[15:17].mean(), 0, atol=1e-6)
    steps = np.diff(enlarged[:, 0, 0]) / np.diff(slope[:, 0, 0])
    np.testing.assert_allclose(steps, 1 / 1.25, rtol=0.05)


def test_glass_moves_pixels_by_one_at_most():
    point = np.zeros((30, 32, 32, 1), np.uint8)
    point[:, 16, 16] = 255
    # At severity 1 the blurs are narrower than a pixel.
    moved = ij.data.corrupt(point, "glass_blur", 1)
    rows, columns = np.nonzero(moved.any((0, 3)))
    assert set(rows) == set(columns) == {16, 17}


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


def test_elastic_transforms_move_pixels_and_nothing_else():
    even = ij.data.corrupt(GREY[:2], "elastic_transform", 4)
    np.testing.assert_allclose(even, GREY[:2] - 0.5, atol=0.5)
    moved = ij.data.corrupt(DRAWN, "elastic_transform", 4)
    assert np.abs(moved.astype(int) - DRAWN).mean() > 10
    for image, before in zip(moved, DRAWN):
        assert before.min() <= image.min() + 1 and image.max() <= before.max()


def test_frost_adds_a_fifth_of_icy_colours_at_severity_1():
    black = np.zeros((400, 32, 32, 3), np.uint8)
    ice = ij.data.corrupt(black, "frost", 1) / 0.2
    colours = np.array([[77, 148, 165], [198, 203, 212], [199, 203, 212]])
    colours = np.concatenate([colours, [[144, 159, 171], [102, 113, 125]]])
    mean = ice.mean((0, 1, 2)) + 2.5
    np.testing.assert_allclose(mean, colours.mean(0), rtol=0.05)
