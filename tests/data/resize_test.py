"""Resizing against Pillow and a mean over blocks."""

import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.data.resize import resize

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 12, 9, 3), np.uint8)


@pytest.mark.parametrize("size", [(6, 3), (5, 7), (20, 4), (24, 27), (1, 1)])
def test_it_is_pillow_s(size):
    pillow = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    height, width = size
    found = resize(IMAGES, size)
    assert found.dtype == tf.uint8
    for channel, ours in zip(IMAGES[..., 1], found.numpy()[..., 1]):
        # Of floats Pillow's result is not rounded.
        theirs = pillow.fromarray(channel.astype("float32")).resize(
            (width, height), pillow.Resampling.BILINEAR
        )
        assert np.abs(ours - np.asarray(theirs)).max() <= 0.5 + 1e-3


def test_an_image_is_resized_as_in_a_batch():
    whole = resize(IMAGES, (7, 5))
    for image, expected in zip(IMAGES, whole):
        np.testing.assert_array_equal(resize(image, (7, 5)), expected)


def test_the_same_size_gives_the_same_image():
    np.testing.assert_array_equal(resize(IMAGES, (12, 9)), IMAGES)


def test_levels_are_rounded_to_the_nearest():
    # Half as large, a pixel weighs its four nearest by 1, 3, 3 and 1.
    row = np.array([[0, 8, 17, 21, 40, 90, 2, 1]], np.uint8)
    inner = [(8 + 3 * 17 + 3 * 21 + 40) / 8, (21 + 3 * 40 + 3 * 90 + 2) / 8]
    found = resize(row[..., np.newaxis], (1, 4))[0, 1:3, 0]
    np.testing.assert_array_equal(found, np.rint(inner))
