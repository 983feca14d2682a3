"""Rotations and translations against NumPy's and SciPy's."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

import ijsat_tf as ij
from ijsat_tf.spaces import RotateTranslate
from tests import slopes


def applied(space, images, change):
    images = tf.constant(images)
    change = tf.constant(change, images.dtype)
    return space.apply(images, change, space.prepare(images, None))


def scipy_s(image, degrees, down, right):
    """The image turned counter-clockwise, then moved."""
    angle = np.radians(degrees)
    back = np.array(
        [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
    )
    middle = (np.array(image.shape[:2]) - 1) / 2
    offset = middle - back @ (middle + [down, right])
    channels = [
        ndimage.affine_transform(
            np.pad(image[..., channel], 9),
            back,
            # The frame of zeros keeps values next to the border bilinear.
            offset + 9 - back @ [9, 9],
            order=1,
        )[9:-9, 9:-9]
        for channel in range(image.shape[-1])
    ]
    return np.stack(channels, axis=-1)


def images_of(shape, seed=0):
    return np.random.default_rng(seed).random(shape)


@pytest.mark.parametrize("quarters", [-1, 0, 1])
def test_quarter_turns_are_numpy_s(quarters):
    images = images_of((2, 7, 7, 2))
    change = [[quarters, 0, 0]] * 2
    found = applied(RotateTranslate(90, 3), images, change)
    expected = np.rot90(images, quarters, axes=(1, 2))
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_whole_pixels_move_the_image_and_leave_zeros():
    images = images_of((1, 6, 5, 1))
    found = applied(RotateTranslate(30, 4), images, [[0, 0.5, -0.25]])
    expected = np.zeros_like(images)
    expected[:, 2:, :-1] = images[:, :-2, 1:]
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("shape", [(3, 8, 8, 1), (3, 9, 6, 2)])
def test_both_are_scipy_s_affine_maps(shape):
    images = images_of(shape)
    change = np.random.default_rng(1).uniform(-1, 1, (3, 3))
    space = RotateTranslate(40, 2.5)
    expected = [
        scipy_s(image, 40 * angle, 2.5 * down, 2.5 * right)
        for image, (angle, down, right) in zip(images, change)
    ]
    found = applied(space, images, change)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    used = space.measure(tf.constant(change))
    np.testing.assert_allclose(used["rotation"], 40 * np.abs(change[:, 0]))
    np.testing.assert_allclose(
        used["translation"], 2.5 * np.abs(change[:, 1:]).max(1)
    )


def test_no_change_gives_exactly_the_image():
    images = images_of((2, 8, 6, 3)).astype("float32")
    found = applied(RotateTranslate(30, 3), images, np.zeros((2, 3)))
    np.testing.assert_array_equal(found, images)


def test_gradients_are_those_of_finite_differences():
    images = images_of((2, 6, 7, 2))
    weights = np.random.default_rng(2).normal(size=images.shape)
    space = RotateTranslate(30, 3)
    slopes.check(
        lambda images, change: tf.reduce_sum(
            weights * space.apply(images, change, None)
        ),
        images,
        [[0.3, 0.2, -0.4], [-0.7, 0.11, 0.6]],
    )


def test_the_start_and_every_update_keep_the_bounds():
    space = RotateTranslate(30, 3).with_steps(10)
    assert space.step == 0.25
    context = space.prepare(tf.zeros([50, 4, 4, 1]), None)
    change = space.start(context, tf.constant([0, 1]))
    assert 0.8 < np.abs(change).max() <= 1 and np.ptp(change) > 1
    for iteration in range(10):
        change = space.update(change, change, None, iteration)
    used = space.measure(change)
    assert used.keys() == space.radii.keys()
    for name, most in space.radii.items():
        np.testing.assert_allclose(used[name], most, rtol=1e-6)


@pytest.mark.parametrize(
    "settings, name",
    [((-1, 3), "rotation"), ((30, None), "translation"), ((1, 1, -1), "step")],
)
def test_settings_out_of_range(settings, name):
    with pytest.raises(ValueError, match=f"`{name}` must be a number"):
        RotateTranslate(*settings)
    with pytest.raises(ValueError, match=f"`{name}` must be a number"):
        ij.attacks.RotateTranslate(*settings)
