"""Snow against SciPy's convolution."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import signal

from ijsat_tf.spaces import Snow, snow
from tests import slopes


def images_of(shape, count=3):
    draws = np.random.default_rng(0).random((count, *shape))
    return draws.astype("float32")


def snowy(images, intensities, kernels, budget):
    """One flake after another, with SciPy's correlation."""
    expected = []
    for image, grid, group in zip(images, intensities, kernels):
        height, width, channels = image.shape
        fallen = np.zeros((4 * grid.shape[0], 4 * grid.shape[1]))
        for kind in range(7):
            flakes = np.zeros_like(fallen)
            row, column = (0, kind) if kind < 4 else (kind - 3, 0)
            flakes[row::4, column::4] = grid[..., kind] ** 4.0
            fallen += signal.correlate2d(flakes, group[kind], mode="same")
        if channels == 3:
            grey = image @ [0.2126, 0.7152, 0.0722]
        else:
            grey = image.mean(-1)
        white = np.maximum(image, 1.5 * grey[..., None] + 0.5)
        fallen = fallen[:height, :width, None]
        expected.append(0.75 * image + 0.25 * white + budget * fallen)
    return np.stack(expected)


@pytest.mark.parametrize(
    "shape", [(8, 8, 1), (28, 28, 1), (32, 32, 3), (10, 15, 2)]
)
def test_it_is_seven_convolutions_over_a_whitened_image(shape):
    images = images_of(shape)
    space = Snow(0.3)
    context = space.prepare(tf.constant(images), None)
    intensities, _ = space.start(context, tf.constant([1, 2]))
    # Not symmetric, so that an exchanged order would show.
    kernels = np.random.default_rng(1).random((3, 7, 13, 13)).astype("float32")
    found = space.apply(
        tf.constant(images),
        [intensities, snow.filters(tf.constant(kernels))],
        context,
    )
    expected = snowy(images, intensities.numpy(), kernels, 0.3)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_without_budget_the_image_is_only_whitened():
    images = images_of((8, 8, 3))
    space = Snow(0.0)
    context = space.prepare(tf.constant(images), None)
    change = space.start(context, tf.constant([1, 2]))
    found = space.apply(tf.constant(images), change, context)
    nothing = np.zeros((3, 2, 2, 7)), np.zeros((3, 7, 13, 13))
    np.testing.assert_allclose(found, snowy(images, *nothing, 0), atol=1e-6)
    assert (found.numpy() >= images - 1e-6).all()


@pytest.mark.parametrize("shape", [(8, 8, 1), (32, 32, 3), (44, 72, 1)])
def test_intensities_keep_their_bounds(shape):
    space = Snow(0.1, step=0.5)
    context = space.prepare(tf.constant(images_of(shape)), None)
    intensities, kept = space.start(context, tf.constant([1, 2]))
    draws = np.random.default_rng(0)
    for iteration in range(3):
        rows, columns = intensities.shape[1:3]
        for top in range(0, rows, 8):
            for left in range(0, columns, 8):
                block = intensities[:, top : top + 8, left : left + 8]
                mean = np.mean(block, axis=(1, 2))
                assert (mean <= 0.2 * (1 + 1e-5)).all()
        assert np.min(intensities) > 0 and np.max(intensities) <= 1
        assert np.mean(intensities) > 0.1
        slope = tf.constant(draws.normal(1, 1, intensities.shape), tf.float32)
        intensities, same = space.update(
            [intensities, kept], [slope, kept], None, tf.constant(iteration)
        )
        np.testing.assert_array_equal(same, kept)
    np.testing.assert_array_equal(
        space.measure([intensities, kept])["snow"], np.float32([0.1] * 3)
    )


def test_the_reference_projects_between_first_and_last():
    space = Snow(0.1, step=0.5, reference=True)
    much = tf.ones([1, 2, 2, 7])
    moved, _ = space.update([much, much], [much, much], None, tf.constant(0))
    np.testing.assert_allclose(moved, 1.5)
    moved, _ = space.update([much, much], [much, much], None, tf.constant(1))
    np.testing.assert_allclose(moved, 0.7)
    # At -0.3 the fourth power falls, but it is projected before its slope.
    low = -0.3 * much
    moved, _ = space.update([low, low], [much, much], None, tf.constant(1))
    np.testing.assert_allclose(moved, -0.5)


def test_kernels_are_each_image_s_own_or_in_the_reference_the_batch_s():
    images = tf.constant(images_of((8, 8, 1)))
    for reference, kinds in ((False, 3), (True, 1)):
        space = Snow(0.1, reference=reference)
        context = space.prepare(images, None)
        _, filters = space.start(context, tf.constant([1, 2]))
        assert len(np.unique(filters, axis=0)) == kinds
    np.testing.assert_allclose(
        np.sum(filters, axis=(1, 2)),
        np.sum(filters, axis=(1, 2))[0],
        rtol=1e-6,
    )


def test_gradients_are_those_of_finite_differences():
    images = images_of((9, 6, 3), 2).astype("float64")
    space = Snow(0.5)
    context = space.prepare(tf.constant(images), None)
    intensities, filters = space.start(context, tf.constant([1, 2]))
    weights = np.random.default_rng(2).normal(size=images.shape)

    def function(images, intensities):
        change = [intensities, filters]
        return tf.reduce_sum(weights * space.apply(images, change, context))

    slopes.check(function, images, intensities)
