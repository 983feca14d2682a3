"""Digital corruptions against formulas, and TensorFlow's JPEG."""

import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from tests.golden import make_corruptions

pytest.importorskip("ijsat_tf.data.corruptions.digital")
DRAWN = make_corruptions.drawn()
GREY = np.full((2, 32, 32, 3), 128, np.uint8)


def test_contrast_shrinks_towards_the_mean_of_each_channel():
    x = DRAWN / 255
    mean = x.mean((1, 2), keepdims=True)
    expected = 255 * (mean + 0.15 * (x - mean))
    flat = ij.data.corrupt(DRAWN, "contrast", 5)
    np.testing.assert_allclose(flat, expected - 0.5, atol=0.51)


def test_elastic_transforms_move_pixels_and_nothing_else():
    even = ij.data.corrupt(GREY[:2], "elastic_transform", 4)
    np.testing.assert_allclose(even, GREY[:2] - 0.5, atol=0.5)
    moved = ij.data.corrupt(DRAWN, "elastic_transform", 4)
    assert np.abs(moved.astype(int) - DRAWN).mean() > 10
    for image, before in zip(moved, DRAWN):
        assert before.min() <= image.min() + 1 and image.max() <= before.max()


def test_pixelate_keeps_an_even_image_and_has_as_many_boxes():
    np.testing.assert_array_equal(ij.data.corrupt(GREY, "pixelate", 5), GREY)
    slope = np.tile(np.arange(32, dtype=np.uint8), (32, 1))
    boxes = ij.data.corrupt(slope[np.newaxis, ..., np.newaxis], "pixelate", 5)
    # int(32 * 0.65) boxes over 32 pixels: some pixels lie in two.
    assert 20 <= len(np.unique(boxes)) < 32
    np.testing.assert_allclose(boxes.mean(), slope.mean(), atol=0.5)


@pytest.mark.parametrize("severity, quality", [(1, 80), (5, 40)])
def test_jpeg_is_tensorflow_s(severity, quality):
    for image in DRAWN:
        file = tf.io.encode_jpeg(image, quality=quality)
        expected = tf.io.decode_jpeg(file, dct_method="INTEGER_ACCURATE")
        found = ij.data.corrupt(image[None], "jpeg_compression", severity)[0]
        # The way from levels to [0, 1] and back may take one level.
        assert np.abs(found.astype(int) - expected).max() <= 1
        assert np.abs(found.astype(int) - image).max() > 10
