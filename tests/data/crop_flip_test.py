"""Crops and mirroring against slices of padded arrays."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf import seeds
from ijsat_tf.data.crop_flip import PAD, crop_flip, placements

EVERY = np.array(list(itertools.product(range(9), range(9), range(2))), "int32")


def cropped(images, placement):
    height, width = images.shape[1:3]
    padded = np.pad(images, [(0, 0), (4, 4), (4, 4), (0, 0)])
    found = []
    for image, (row, column, mirrored) in zip(padded, placement):
        crop = image[row : row + height, column : column + width]
        found.append(crop[:, ::-1] if mirrored else crop)
    return np.stack(found)


@pytest.mark.parametrize("dtype", ["uint8", "float16", "float64"])
def test_every_placement_is_a_slice_of_the_padded_image(dtype):
    draws = np.random.default_rng(0).integers(1, 256, (len(EVERY), 6, 5, 3))
    images = draws.astype(dtype)
    found = crop_flip(tf.constant(images), tf.constant(EVERY))
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, cropped(images, EVERY))


def test_gradients_go_back_to_the_pixels_that_are_seen():
    shape = (len(EVERY), 3, 6, 2)
    draws = np.random.default_rng(0)
    images = tf.constant(draws.normal(size=shape))
    weights = draws.normal(size=shape)
    with tf.GradientTape() as tape:
        tape.watch(images)
        seen = tf.reduce_sum(weights * crop_flip(images, tf.constant(EVERY)))
    # Pixels are numbered from 1, and the padding is 0.
    places = 1 + np.arange(np.prod(shape)).reshape(shape)
    expected = np.bincount(
        cropped(places, EVERY).ravel(), weights.ravel(), 1 + places.size
    )
    np.testing.assert_allclose(
        tape.gradient(seen, images), expected[1:].reshape(shape)
    )


def test_placements_are_uniform_and_half_of_them_mirrored():
    found = placements(40500, seeds.derive(0), seeds.derive(1)).numpy()
    assert found.dtype == np.int32
    chosen, counts = np.unique(found, axis=0, return_counts=True)
    np.testing.assert_array_equal(chosen, EVERY)
    # Pearson's statistic, with 161 degrees of freedom: 236 is its 0.01 %.
    assert np.square(counts - 250).sum() / 250 < 236


def test_crops_and_mirroring_have_seeds_of_their_own():
    one, other = seeds.derive(0), seeds.derive(1)
    both = placements(200, one, other)
    uncropped = placements(200, None, other)
    np.testing.assert_array_equal(uncropped[:, :2], np.full((200, 2), PAD))
    np.testing.assert_array_equal(uncropped[:, 2], both[:, 2])
    again = placements(200, one, one)
    np.testing.assert_array_equal(again[:, :2], both[:, :2])
    assert not np.array_equal(again[:, 2], both[:, 2])


def test_placements_of_any_integers():
    images = tf.random.uniform([1, 3, 3, 1], seed=0)
    for kind in (tf.int32, tf.int64, tf.uint8):
        placement = tf.constant([[PAD, PAD, 1]], kind)
        np.testing.assert_array_equal(
            crop_flip(images, placement), images[:, :, ::-1]
        )
