"""Changes of colour against SciPy's interpolation and closed formulas."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.interpolate import RegularGridInterpolator

import ijsat_tf as ij
from ijsat_tf.spaces import ReColor, cieluv
from ijsat_tf.spaces.field import FieldChange
from ijsat_tf.spaces.recolor import interpolate
from tests import slopes, tiny
from tests.spaces.cieluv_test import luv, scaled

FEW = (3, 4, 5)


def random_field(channels, count=2, scale=0.06, seed=0):
    shape = (count, *FEW[:channels], channels)
    return np.random.default_rng(seed).uniform(-scale, scale, shape)


def applied(space, images, field):
    context = space.prepare(tf.constant(images), None)
    change = FieldChange(tf.constant(field), context, context)
    return space.apply(tf.constant(images), change, context)


def scipy_s(field, places):
    axes = [np.linspace(0, 1, side) for side in field.shape[:-1]]
    return RegularGridInterpolator(axes, field)(np.clip(places, 0, 1))


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_values_between_grid_points_are_scipy_s(axes):
    field = np.random.default_rng(0).normal(size=(2, *FEW[:axes], 3))
    places = np.random.default_rng(1).uniform(-0.3, 1.3, (2, 6, 7, axes))
    places[:, 0] = np.round(places[:, 0])  # Grid points, the last ones too.
    found = interpolate(tf.constant(field), tf.constant(places))
    expected = [scipy_s(*pair) for pair in zip(field, places)]
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_colours_move_by_the_field_at_their_place(channels):
    images = np.random.default_rng(1).uniform(0.2, 0.8, (2, 5, 4, channels))
    field = random_field(channels)
    found = applied(ReColor(0.06, resolution=FEW), images, field).numpy()
    if channels < 3:
        expected = [x + scipy_s(f, x) for x, f in zip(images, field)]
        np.testing.assert_allclose(found, expected, atol=1e-12)
        return
    colours = [
        scaled([luv(pixel) for pixel in x.reshape(-1, 3)]) for x in images
    ]
    expected = [c + scipy_s(f, c) for c, f in zip(colours, field)]
    # Only colours of sRGB come back the same.
    inside = (found > 0).all(-1).reshape(2, -1)
    assert inside.mean() > 0.9
    back = [scaled([luv(p) for p in x.reshape(-1, 3)]) for x in found.clip(0)]
    np.testing.assert_allclose(
        np.array(back)[inside], np.array(expected)[inside], atol=1e-9
    )


@pytest.mark.parametrize("channels", [1, 3])
def test_no_change_is_the_image_and_equal_colours_stay_equal(channels):
    images = np.random.default_rng(1).random((2, 6, 6, channels))
    images[:, 0, :3], images[:, 0, 3:] = 0, 1
    images[0, 1] = [[1, 0, 0] * 2][0][:channels]
    images = images.astype("float32")
    space = ReColor(0.06, resolution=FEW)
    field = random_field(channels).astype("float32")
    found = applied(space, images, 0 * field)
    np.testing.assert_allclose(found, images, atol=2e-5)
    moved = applied(space, images, field).numpy()
    for row in (slice(0, 3), slice(3, 6)):
        assert np.ptp(moved[:, 0, row], axis=1).max() < 1e-6


def test_colours_of_the_grid_stay_colours_of_srgb():
    space = ReColor(0.2)
    field = tf.constant(
        np.random.default_rng(0).uniform(-0.2, 0.2, (2, 16, 32, 32, 3))
    )
    axes = [np.linspace(0, 1, side) for side in (16, 32, 32)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), -1)

    def outside(colours):
        """How far colours are beyond sRGB, without its clips."""
        flat = tf.constant(colours.reshape(2, -1, 1, 3))
        images = cieluv.to_rgb(flat).numpy()
        return np.abs(images - images.clip(0, 1)).max((2, 3))

    inside = outside(np.stack([grid] * 2)) == 0
    assert 0.2 < inside.mean() < 0.8
    moved = space.project(field).numpy()
    assert np.abs(moved).max() <= 0.2
    before, after = outside(grid + field.numpy()), outside(grid + moved)
    assert before[inside].max() > 0.1
    # The bound comes last, and may lead a little out again.
    assert np.quantile(after[inside], 0.9) < 1e-3
    # Colours that sRGB has do not move by themselves. (A few dark colours
    # that it does not have come out of `to_rgb` within [0, 1], too.)
    still = np.abs(space.project(0 * field)).max(-1).reshape(2, -1)
    assert np.median(still[inside]) < 1e-9
    assert np.median(still[~inside]) > 0.01


def test_gradients_are_those_of_finite_differences():
    images = np.random.default_rng(1).uniform(0.3, 0.7, (1, 3, 4, 3))
    field = random_field(3, 1, 0.03)
    space = ReColor(0.06, resolution=FEW)
    weights = np.random.default_rng(2).normal(size=images.shape)
    context = space.prepare(tf.constant(images), None)

    def function(images, field):
        change = FieldChange(field, context, context)
        return tf.reduce_sum(weights * space.apply(images, change, context))

    slopes.check(function, images, field)


def test_it_moves_lightness_against_a_classifier_of_light():
    """Grey images get lighter by the budget, and stay smooth."""
    images = np.full((2, 4, 4, 3), 0.4, "float32")
    images[1] = 0.0  # Black has a gradient, too.

    def model(images):
        light = tf.reduce_sum(images, axis=[1, 2, 3])
        return tf.stack([tf.zeros_like(light), light - 20], axis=1)

    attack = ij.attacks.ReColor(0.06, step=0.01, steps=30)
    result = attack(model, images, np.zeros(2, int))
    before, after = (
        np.array(cieluv.from_rgb(tf.constant(given)))[..., 0]
        for given in (images, result.images)
    )
    assert (after - before > 0.055).all()
    np.testing.assert_allclose(result.budget["recolor"], 0.06, rtol=1e-5)


@pytest.mark.parametrize("resolution", [(1, 4, 4), (4, 4), 8, (4, 4, 4.5)])
def test_resolutions_that_are_no_grid_are_refused(resolution):
    with pytest.raises(ValueError, match="`resolution` must be three"):
        ReColor(0.06, resolution=resolution)


def test_images_of_many_channels_are_refused():
    with pytest.raises(ValueError, match="`images` of ReColor must have three"):
        ReColor(0.06).prepare(tf.zeros([1, 4, 4, 4]), None)


def test_a_grid_may_be_written_as_a_list():
    space = ReColor(0.06, resolution=[4, 5, 6])
    assert space == ReColor(0.06, resolution=(4, 5, 6))
    for shape, grid in ((tiny.SHAPE, (4, 5, 2)), ((8, 8, 3), (4, 5, 6, 3))):
        context = space.prepare(tf.zeros([2, *shape]), None)
        assert context.shape == (2, *grid)
