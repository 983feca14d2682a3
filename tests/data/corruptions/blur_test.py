"""Blurs of single points and of slopes against their formulas."""

import numpy as np
import pytest

import ijsat_tf as ij

blur = pytest.importorskip("ijsat_tf.data.corruptions.blur")


@pytest.mark.parametrize("radius, neighbours", [(1, [0, 1]), (1.5, [1, 1])])
def test_defocus_spreads_a_point_over_a_disk(radius, neighbours):
    image = np.zeros((9, 9, 3))
    image[4, 4] = [1, 0.5, 0]
    # So narrow a Gaussian leaves the disk's edge as it is.
    found = blur.defocus_blur(image, None, radius, alias=0.1)
    corner, side = neighbours
    disk = np.array(
        [[corner, side, corner], [side, 1, side], [corner, side, corner]]
    )
    expected = np.zeros((9, 9, 3))
    expected[3:6, 3:6] = (disk / disk.sum())[..., np.newaxis] * image[4, 4]
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_defocus_by_less_than_a_pixel_is_gaussian():
    image = np.zeros((9, 9, 1))
    image[4, 4] = 1
    found = blur.defocus_blur(image, None, radius=0.3, alias=0.5)
    weights = np.exp(-(np.array([-1, 0, 1]) ** 2) / (2 * 0.5**2))
    weights /= weights.sum()
    expected = np.zeros((9, 9))
    expected[3:6, 3:6] = np.outer(weights, weights)
    np.testing.assert_allclose(found[..., 0], expected, atol=1e-12)


def test_glass_moves_pixels_by_one_at_most():
    point = np.zeros((30, 32, 32, 1), np.uint8)
    point[:, 16, 16] = 255
    # At severity 1 the blurs are narrower than a pixel.
    moved = ij.data.corrupt(point, "glass_blur", 1)
    rows, columns = np.nonzero(moved.any((0, 3)))
    assert set(rows) == set(columns) == {16, 17}


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
