"""Elastic deformations against SciPy's, and what they may not do."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

import ijsat_tf as ij
from ijsat_tf.spaces import Elastic, Linf
from tests import slopes, tiny

SIDES = [(8, 8, 1), (28, 28, 1), (11, 14, 3), (5, 7, 2)]


def images_of(shape, count=3):
    draws = np.random.default_rng(0).random((count, *shape))
    return draws.astype("float32")


def displacement_of(images, budget):
    shape = (*images.shape[:3], 2)
    draws = np.random.default_rng(1).uniform(-budget, budget, shape)
    return draws.astype("float32")


def applied(space, images, change):
    context = space.prepare(tf.constant(images), None)
    return space.apply(tf.constant(images), tf.constant(change), context)


def scipy_s(images, change, std, kernel, grid=lambda places, side: places):
    """Each channel sampled by SciPy, (row, column) order throughout."""
    _, height, width, channels = images.shape
    rows, columns = np.mgrid[:height, :width].astype(float)
    rows, columns = grid(rows, height), grid(columns, width)
    moved = np.empty_like(images, "float64")
    for image, field, out in zip(images, change.astype("float64"), moved):
        right, down = (
            ndimage.gaussian_filter(
                field[..., axis], std, mode="mirror", radius=kernel // 2
            )
            for axis in (0, 1)
        )
        for channel in range(channels):
            out[..., channel] = ndimage.map_coordinates(
                np.pad(image[..., channel].astype("float64"), 1),
                [rows + down + 1, columns + right + 1],
                order=1,
                mode="constant",
            )
    return moved


@pytest.mark.parametrize("shape", SIDES)
@pytest.mark.parametrize("budget", [0.5, 3.0])
def test_it_is_scipy_s_resampling_of_a_smoothed_field(shape, budget):
    images = images_of(shape)
    change = displacement_of(images, budget)
    found = applied(Elastic(budget, kernel=5, std=0.7), images, change)
    np.testing.assert_allclose(
        found, scipy_s(images, change, 0.7, 5), atol=2e-5
    )


def test_a_kernel_wider_than_the_image():
    images = images_of((8, 8, 1))
    change = displacement_of(images, 2.0)
    found = applied(Elastic(2.0, kernel=25, std=3.0), images, change)
    np.testing.assert_allclose(
        found, scipy_s(images, change, 3.0, 25), atol=2e-5
    )


@pytest.mark.parametrize("side, kernel", [(224, 25), (32, 5), (8, 1)])
def test_default_kernels_are_the_original_s(side, kernel):
    images = tf.zeros([1, side, side, 1])
    by_default = Elastic(0.5).prepare(images, None)
    given = Elastic(0.5, kernel=kernel, std=3 * side / 224)
    given = given.prepare(images, None)
    np.testing.assert_array_equal(by_default.smooth_rows, given.smooth_rows)
    np.testing.assert_allclose(by_default.smooth_rows.sum(1), 1)


@pytest.mark.parametrize("shape", SIDES)
def test_no_displacement_gives_exactly_the_image(shape):
    images = images_of(shape)
    found = applied(Elastic(0.5), images, np.zeros((3, *shape[:2], 2), "f4"))
    np.testing.assert_array_equal(found, images)


def test_a_whole_pixel_to_the_right_reads_the_neighbour():
    images = images_of((6, 6, 1))
    change = np.zeros((3, 6, 6, 2), "float32")
    change[..., 0] = 1.0
    found = applied(Elastic(1.0, kernel=3, std=0.5), images, change).numpy()
    np.testing.assert_allclose(found[:, :, :-1], images[:, :, 1:], atol=1e-6)
    np.testing.assert_allclose(found[:, :, -1], 0, atol=1e-6)


def test_the_reference_shrinks_the_image_as_the_original_does():
    images = images_of((8, 10, 3))
    change = displacement_of(images, 0.5)
    space = Elastic(0.5, reference=True, kernel=5, std=0.7)
    expected = scipy_s(
        images,
        change,
        0.7,
        5,
        # A grid from -1 to 1 whose ends are the pixels' outer edges.
        grid=lambda places, side: (
            ((2 * places / (side - 1) - 1 + 1) * side - 1) / 2
        ),
    )
    np.testing.assert_allclose(
        applied(space, images, change), expected, atol=2e-5
    )


def test_gradients_are_those_of_finite_differences():
    images = images_of((5, 6, 2), 1).astype("float64")
    # Away from whole pixels, where bilinear values have a kink.
    change = displacement_of(images, 0.4).astype("float64") + 0.5
    space = Elastic(1.0, kernel=3, std=0.3)
    context = space.prepare(tf.constant(images), None)
    weights = np.random.default_rng(2).normal(size=images.shape)

    def function(images, change):
        return tf.reduce_sum(weights * space.apply(images, change, context))

    slopes.check(function, images, change)


def test_the_start_and_every_update_keep_the_budget(images):
    space = Elastic(0.3).with_steps(4)
    assert space.step == 0.15
    context = space.prepare(tf.constant(images), None)
    change = space.start(context, tf.constant([0, 1]))
    assert 0.25 < np.abs(change).max() <= 0.3
    assert np.ptp(change) > 0.5
    for iteration in range(4):
        change = space.update(change, change, None, iteration)
    np.testing.assert_allclose(np.abs(change), 0.3, rtol=1e-6)
    np.testing.assert_allclose(space.measure(change)["elastic"], 0.3, rtol=1e-6)
    still = space.start(context, None)
    np.testing.assert_array_equal(space.measure(still)["elastic"], 0)


def test_it_joins_the_latent_space_and_the_pixels(flow, images, labels):
    space = ij.spaces.Joint(
        ij.spaces.Latent(flow, Linf(0.1)), Elastic(0.4), Linf(0.02)
    )
    model = tiny.make_classifier()
    result = ij.attacks.Ascent(space, steps=3)(model, images, labels)
    assert set(result.budget) == {"latent", "elastic", "pixels"}
    for name, most in (("latent", 0.1), ("elastic", 0.4), ("pixels", 0.02)):
        assert 0 < np.max(result.budget[name]) <= most * (1 + 1e-5)
    before = ij.attacks.Ascent(space, steps=1)(model, images, labels)
    assert np.sum(result.loss) > np.sum(before.loss)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"budget": -1}, "`budget` must be"),
        ({"budget": 1, "step": float("nan")}, "`step` must be"),
        ({"budget": 1, "kernel": 4}, "`kernel` must be an odd"),
        ({"budget": 1, "std": -1.0}, "`std` must be"),
    ],
)
def test_settings_out_of_range(settings, message):
    with pytest.raises(ValueError, match=message):
        Elastic(**settings)


def test_images_of_unknown_side_are_refused():
    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3])])
    def prepare(images):
        return Elastic(1.0).prepare(images, None).still

    with pytest.raises(ValueError, match="must be known when the graph"):
        prepare(tf.zeros([1, 8, 8, 3]))
