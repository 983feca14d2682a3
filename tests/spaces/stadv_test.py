"""Flow fields against a sampling grid from -1 to 1, pixel by pixel."""

import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf import losses
from ijsat_tf.spaces import StAdv
from ijsat_tf.spaces.field import FieldChange
from tests import slopes, tiny


def flowing(image, field):
    """grid_sample of PyTorch: the ends of its grid are the outer edges."""
    height, width, _ = image.shape
    out = np.zeros_like(image)
    for i, j in np.ndindex(height, width):
        x = (2 * j + 1) / width - 1 + field[i, j, 0]
        y = (2 * i + 1) / height - 1 + field[i, j, 1]
        column, row = ((x + 1) * width - 1) / 2, ((y + 1) * height - 1) / 2
        for r in (int(np.floor(row)), int(np.floor(row)) + 1):
            for c in (int(np.floor(column)), int(np.floor(column)) + 1):
                if 0 <= r < height and 0 <= c < width:
                    near = (1 - abs(row - r)) * (1 - abs(column - c))
                    out[i, j] += near * image[r, c]
    return out


def applied(space, images, field):
    context = space.prepare(tf.constant(images), None)
    change = FieldChange(tf.constant(field), context, context)
    return space.apply(tf.constant(images), change, context)


def draws(shape, budget, seed=0):
    return np.random.default_rng(seed).uniform(-budget, budget, shape)


@pytest.mark.parametrize("shape", [(2, 8, 8, 3), (2, 5, 7, 1)])
@pytest.mark.parametrize("budget", [0.05, 0.6])
def test_it_is_the_sampling_of_a_displaced_grid(shape, budget):
    images = np.random.default_rng(1).random(shape)
    field = draws((*shape[:3], 2), budget)
    found = applied(StAdv(budget), images, field)
    expected = [flowing(*pair) for pair in zip(images, field)]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_no_flow_gives_exactly_the_image():
    images = tiny.random_images(2, (9, 6, 3))
    still = np.zeros((2, 9, 6, 2), "float32")
    np.testing.assert_array_equal(applied(StAdv(0.1), images, still), images)


def test_gradients_are_those_of_finite_differences():
    images = np.random.default_rng(1).random((1, 5, 6, 2))
    # 0.25 to 0.75 pixels from the whole ones, where values have a kink.
    field = draws((1, 5, 6, 2), 0.08) + 0.17
    space = StAdv(0.5)
    weights = np.random.default_rng(2).normal(size=images.shape)
    context = space.prepare(tf.constant(images), None)

    def function(images, field):
        change = FieldChange(field, context, context)
        return tf.reduce_sum(weights * space.apply(images, change, context))

    slopes.check(function, images, field)


def test_places_go_half_a_pixel_beyond_the_edge_at_most():
    space = StAdv(0.9, step=0.5).with_steps(1)
    images = np.ones((1, 4, 8, 1), "float32")
    context = space.prepare(tf.constant(images), None)
    away = tf.constant([1.0, 1.0]) + context
    change = space.start(context, None)
    for iteration in range(9):
        change = space.update(
            change, FieldChange(away, context, context), None, iteration
        )
    right = change.field.numpy()[0, 0, :, 0]
    centres = (2 * np.arange(8) + 1) / 8 - 1
    np.testing.assert_allclose(right, np.minimum(0.9, 1 - centres), rtol=1e-5)
    # A quarter of what the last pixel shows is from inside.
    moved = space.apply(tf.constant(images), change, context)
    np.testing.assert_allclose(moved[0, -1, -1], 0.25, rtol=1e-5)


def test_it_finds_the_worst_shift_of_an_image():
    """On a slope of light, the best flow is the same for all pixels."""
    row = np.linspace(0.2, 0.8, 8, dtype="float32")
    images = np.tile(row[None, None, :, None], (2, 8, 1, 1))

    def model(images):
        light = tf.reduce_sum(images[:, :, 2:-2] - 0.5, axis=[1, 2, 3])
        return tf.stack([tf.zeros_like(light), light], axis=1)

    attack = ij.attacks.StAdv(0.2, steps=30)
    result = attack(model, images, np.zeros(2, int))
    # 0.8 pixels, each brighter by 0.6 / 7.
    gain = result.images[:, :, 2:-2] - images[:, :, 2:-2]
    np.testing.assert_allclose(gain, 0.8 * 0.6 / 7, atol=1e-3)
    np.testing.assert_allclose(result.budget["stadv"], 0.2, rtol=1e-5)


def test_the_strongest_joint_attack_keeps_all_budgets(images, labels):
    space = ij.spaces.Joint(
        StAdv(0.1), ij.spaces.ReColor(0.06), ij.spaces.Linf(0.03)
    )
    model = tiny.make_classifier()
    result = ij.attacks.Ascent(space, steps=5)(model, images, labels)
    clean = losses.cross_entropy(tf.one_hot(labels, 3), model(images))
    assert (result.loss > clean).numpy().all()
    for name, most in space.radii.items():
        assert 0 < np.max(result.budget[name]) <= most * (1 + 1e-5)
    assert set(result.budget) == {"stadv", "recolor", "pixels"}
