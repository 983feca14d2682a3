"""Fog against the diamond-square algorithm, point by point."""

import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.spaces import Fog
from tests import slopes


def images_of(shape, count=3):
    draws = np.random.default_rng(0).random((count, *shape))
    return draws.astype("float32")


def scene(space, shape):
    images = tf.constant(images_of(shape))
    context = space.prepare(images, None)
    return images, context, space.start(context, tf.constant([1, 2]))


def landscape(levels, aside=1):
    """Diamond-square on a torus in float64, written as for one point."""
    size = 2 * len(levels[-1])
    heights = np.zeros((size, size))

    def mean(*points):
        return (
            sum(heights[row % size, column % size] for row, column in points)
            / 4
        )

    for level, part in enumerate(levels):
        step, half = size >> level, size >> (level + 1)
        back = half + step * (aside - 1)
        random = (2 * part - 1) * 100 / 2**level
        grid = list(np.ndindex(*part.shape[:2]))
        for i, j in grid:
            r, c = i * step, j * step
            corners = (r, c), (r + step, c), (r, c + step), (r + step, c + step)
            heights[r + half, c + half] = mean(*corners) + random[i, j, 0]
        for i, j in grid:
            r, c = i * step, j * step
            middle = r + half, c + half
            sides = (r, c), (r, c + step), middle, (r - back, c + half)
            heights[r, c + half] = mean(*sides) + random[i, j, 1]
            sides = (r, c), (r + step, c), middle, (r + half, c - back)
            heights[r + half, c] = mean(*sides) + random[i, j, 2]
    return heights


def foggy(images, maps, budget):
    size, (height, width) = maps.shape[1], images.shape[1:3]
    top, left = (size - height) // 2, (size - width) // 2
    fog = maps[:, top : top + height, left : left + width, None]
    brightest = images.max((1, 2), keepdims=True)
    return (images + budget / 255 * fog) / (brightest + budget / 255)


@pytest.mark.parametrize("shape", [(8, 8, 1), (12, 7, 3), (28, 28, 1)])
@pytest.mark.parametrize("reference", [False, True])
def test_it_is_the_diamond_square_algorithm(shape, reference):
    space = Fog(200.0, reference=reference)
    images, context, change = scene(space, shape)
    levels = [part.numpy().astype("float64") for part in change]
    maps = np.stack(
        [
            landscape([part[row] for part in levels], 2 if reference else 1)
            for row in range(len(images))
        ]
    )
    axes = None if reference else (1, 2)
    maps -= maps.min(axes, keepdims=True)
    maps /= maps.max(axes, keepdims=True)
    expected = foggy(images.numpy(), maps, 200.0)
    found = space.apply(images, change, context)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert expected.min() >= 0 and expected.max() <= 1 + 1e-6


@pytest.mark.parametrize(
    "side, map_size, expected",
    [(32, None, 64), (28, None, 32), (224, None, 256), (8, 8, 8)],
)
def test_sizes_of_maps(side, map_size, expected):
    images = tf.zeros([1, side, side, 1])
    context = Fog(1.0, map_size=map_size).prepare(images, None)
    assert 2 * context.levels[-1].shape[1] == expected
    assert [part.shape[1] for part in context.levels[:3]] == [1, 2, 4]


def test_an_image_s_fog_does_not_depend_on_its_neighbours():
    space = Fog(200.0)
    images, context, change = scene(space, (8, 8, 3))
    whole = space.apply(images, change, context)
    one = images[:1]
    alone = space.apply(
        one, [part[:1] for part in change], space.prepare(one, None)
    )
    np.testing.assert_allclose(whole[:1], alone, atol=1e-6)
    original = Fog(200.0, reference=True)
    lent = original.apply(images, change, context)[:1]
    alone = original.apply(
        one, [part[:1] for part in change], original.prepare(one, None)
    )
    assert np.abs(lent - alone).max() > 0.01


def test_no_budget_stretches_each_channel():
    space = Fog(0.0)
    images, context, change = scene(space, (8, 8, 3))
    expected = images / tf.reduce_max(images, axis=[1, 2], keepdims=True)
    found = space.apply(images, change, context)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    black = tf.zeros_like(images)
    np.testing.assert_array_equal(space.apply(black, change, context), 0)


def test_a_flat_map_is_no_fog():
    space = Fog(255.0)
    images, context, change = scene(space, (8, 8, 3))
    flat = [0.5 * tf.ones_like(part) for part in change]
    brightest = tf.reduce_max(images, axis=[1, 2], keepdims=True)
    np.testing.assert_allclose(
        space.apply(images, flat, context), images / (brightest + 1), rtol=1e-6
    )


def test_the_start_and_every_update_stay_between_bounds():
    space = Fog(128.0).with_steps(200)
    np.testing.assert_allclose(space.step, 0.002236, rtol=1e-3)
    space = Fog(128.0, step=0.4)
    _, context, change = scene(space, (8, 8, 1))
    assert all(0 <= np.min(part) <= np.max(part) <= 1 for part in change)
    finest = np.ravel(change[-1])
    assert finest.min() < 0.1 and finest.max() > 0.9
    signs = [tf.ones_like(part) for part in change]
    moved = space.update(change, signs, None, tf.constant(0))
    for part, before in zip(moved, change):
        np.testing.assert_allclose(part, np.minimum(before + 0.4, 1))
    np.testing.assert_array_equal(space.measure(moved)["fog"], [128] * 3)
    same = space.start(context, None)
    for one, other in zip(same, space.start(context, None)):
        np.testing.assert_array_equal(one, other)


def test_gradients_are_those_of_finite_differences():
    images = images_of((5, 4, 2), 2).astype("float64")
    space = Fog(200.0)
    context = space.prepare(tf.constant(images), None)
    change = space.start(context, tf.constant([1, 2]))
    weights = np.random.default_rng(2).normal(size=images.shape)

    def function(images, *change):
        return tf.reduce_sum(weights * space.apply(images, change, context))

    slopes.check(function, images, *change)


@pytest.mark.parametrize("size", [0, 1, 48, "64"])
def test_sizes_that_are_no_powers_of_two_are_refused(size):
    with pytest.raises(ValueError, match="`map_size` must be a power of 2"):
        Fog(1.0, map_size=size)


def test_a_map_smaller_than_the_image_is_refused():
    with pytest.raises(ValueError, match="longer side, 32"):
        Fog(1.0, map_size=16).prepare(tf.zeros([1, 8, 32, 3]), None)
