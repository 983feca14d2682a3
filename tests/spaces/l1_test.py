"""The L1 ball against the conditions of optimality, a solver, and NumPy."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import optimize

from ijsat_tf import seeds
from ijsat_tf.attacks import FGSM, PGD
from ijsat_tf.spaces import L1, Pixels
from tests import tiny

RANDOM = np.random.default_rng(0)
# Black, white and grey pixels.
IMAGES = np.clip(RANDOM.uniform(-0.3, 1.3, (6, 4, 4, 2)), 0, 1)


def vectors(parts):
    """A change as one row per sample."""
    return np.concatenate(
        [np.reshape(part, (len(part), -1)) for part in parts], axis=1
    )


def nearest(change, room, radius):
    """The nearest c' with |c'|_1 <= radius and |c'_i| <= r_i, by bisection.

    With a multiplier t of the radius, each coordinate is a problem of its own:
    (|c_i| - s)^2 / 2 + t s is least at max(|c_i| - t, 0), cut at r_i.
    """
    length = np.abs(change)

    def at(t):
        return np.minimum(np.maximum(length - t, 0), room)

    if at(0).sum() <= radius:
        return np.sign(change) * at(0)
    t = optimize.brentq(
        lambda t: at(t).sum() - radius, 0, length.max(), xtol=1e-15
    )
    return np.sign(change) * at(t)


def cases():
    """Changes of many lengths, with ties and zeros, and rooms in the box."""
    for size in (1, 3, 40, 3072):
        count = 12 if size < 100 else 4
        change = RANDOM.normal(size=(count, size))
        change *= np.exp(2 * RANDOM.normal(size=(count, 1)))
        change[::3] = np.round(change[::3], 1)
        images = np.clip(RANDOM.uniform(-0.3, 1.3, change.shape), 0, 1)
        for radius in (1e-3, 0.7, 12.0):
            yield change, images, radius


@pytest.mark.parametrize(
    "dtype, within", [("float64", 1e-9), ("float32", 5e-6)]
)
def test_projections_fulfil_the_conditions_of_optimality(dtype, within):
    for change, images, radius in cases():
        given = tf.constant(change, dtype)
        room = np.where(change > 0, 1 - images, images)
        bounded = L1(radius).project_within(given, tf.constant(images, dtype))
        for found, limits in (
            (L1(radius).project(given), np.full_like(room, np.inf)),
            (bounded, room),
        ):
            expected = [nearest(*row, radius) for row in zip(change, limits)]
            scale = np.maximum(np.abs(change).max(1, keepdims=True), 1)
            np.testing.assert_array_less(
                np.abs(found - expected) / scale, within
            )
            norms = np.abs(found).sum(1)
            assert np.all(norms <= radius * (1 + 1e-6))
        sums = images + bounded.numpy()
        assert np.all((sums >= -1e-7) & (sums <= 1 + 1e-7))


def test_the_projection_within_is_a_quadratic_program():
    change = RANDOM.normal(size=(8, 5))
    images = np.clip(RANDOM.uniform(-0.3, 1.3, (8, 5)), 0, 1)
    found = L1(0.8).project_within(tf.constant(change), tf.constant(images))
    for point, wanted, image in zip(found.numpy(), change, images):
        # As u - v with u, v >= 0, whose sum is at most the radius.
        solved = optimize.minimize(
            lambda x, wanted=wanted: np.sum((x[:5] - x[5:] - wanted) ** 2),
            np.full(10, 0.01),
            method="SLSQP",
            bounds=[(0, most) for most in (*(1 - image), *image)],
            constraints={"type": "ineq", "fun": lambda x: 0.8 - x.sum()},
            options={"ftol": 1e-14, "maxiter": 500},
        ).x
        np.testing.assert_allclose(point, solved[:5] - solved[5:], atol=1e-5)


def test_a_list_is_projected_as_one_vector():
    parts = [RANDOM.normal(size=(4, 2, 3, 1)), RANDOM.normal(size=(4, 5))]
    tensors = [tf.constant(part) for part in parts]
    found = L1(1.5).project(tensors)
    assert [part.shape for part in found] == [part.shape for part in parts]
    expected = L1(1.5).project(tf.constant(vectors(parts)))
    np.testing.assert_array_equal(vectors(found), expected)


@pytest.mark.parametrize("size", [7, 128, 3072])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 1.0])
def test_a_step_moves_the_percentile_of_the_largest_slopes(size, share):
    slopes = RANDOM.normal(size=(3, size))
    moved = L1(1.0, step=2.0, share=share).ascend(
        tf.zeros_like(slopes), tf.constant(slopes)
    )
    least = np.quantile(np.abs(slopes), 1 - share, axis=1, keepdims=True)
    signs = np.where(np.abs(slopes) >= least - 1e-12, np.sign(slopes), 0)
    expected = 2 * signs / np.abs(signs).sum(1, keepdims=True)
    np.testing.assert_allclose(moved, expected, rtol=1e-12)


def test_the_start_is_uniform_in_the_ball():
    like = [tf.zeros([4000, 4, 4, 3]), tf.zeros([4000, 16])]
    start = L1(3.0).start(like, seeds.derive(0))
    assert [part.shape for part in start] == [part.shape for part in like]
    flat = vectors(start)
    # |c|_1 / radius of a uniform point has the density n r^(n - 1), so that
    # its n-th power is uniform.
    shares = np.sort((np.abs(flat).sum(1) / 3) ** 64)
    # Kolmogorov and Smirnov's 0.1 % bound is 1.95 / sqrt(4000) = 0.031.
    assert np.abs(shares - np.linspace(0, 1, 4000)).max() < 0.031
    np.testing.assert_allclose(np.abs(flat).mean(0), 3 / 65, rtol=0.1)
    assert abs(np.mean(np.sign(flat))) < 0.01


def test_pixels_at_the_border_take_no_part_in_a_step():
    images = tf.constant(IMAGES)
    slopes = tf.constant(RANDOM.normal(size=IMAGES.shape))
    space = Pixels(L1(5.0, step=0.01, share=0.0))
    change = space.update(tf.zeros_like(images), slopes, images, 0).numpy()
    for moved, image, slope in zip(change, IMAGES, slopes.numpy()):
        free = np.where(slope > 0, image < 1, image > 0)
        place = np.argmax(np.where(free, np.abs(slope), 0))
        assert list(np.flatnonzero(moved)) == [place]
    # After another space the images are unknown, and all pixels are free.
    change = space.update(tf.zeros_like(images), slopes, None, 0).numpy()
    largest = np.argmax(np.abs(vectors([slopes])), 1)
    np.testing.assert_array_equal(
        np.argmax(np.abs(vectors([change])), 1), largest
    )


def test_one_step_shares_the_radius_among_the_largest_slopes_with_room():
    weights, model = tiny.make_linear()
    images = np.clip(RANDOM.uniform(-0.3, 1.3, (6, *tiny.SHAPE)), 0, 1)
    images = images.astype("float32")
    slopes = weights.ravel()
    room = np.where(weights > 0, 1 - images, images).reshape(6, -1)
    order = np.argsort(np.where(room > 0, -np.abs(slopes), 0), axis=1)
    expected = np.zeros_like(room)
    # Four of 128 pixels.
    for moved, limits, largest in zip(expected, room, order[:, :4]):
        moved[largest] = np.sign(slopes[largest])
        moved[:] = nearest(moved, limits, 2.0)
    result = FGSM(L1(2.0, share=0.025))(model, images, np.zeros(6, int))
    change = vectors([result.images - images])
    np.testing.assert_allclose(change, expected, atol=1e-6)
    used = np.abs(expected).sum(1)
    np.testing.assert_allclose(result.budget["pixels"], used, rtol=1e-5)


def test_many_steps_gain_the_radius_times_the_largest_slope(images):
    weights, model = tiny.make_linear()
    attack = PGD(L1(0.25, share=0.0), steps=20)
    result = attack(model, images, np.zeros(6, int))
    gains = vectors([result.images - images]) @ weights.ravel()
    best = 0.25 * np.abs(weights).max()
    np.testing.assert_allclose(gains, best, rtol=1e-4)


@pytest.mark.parametrize("share", [-0.1, 1.1, "0.1", None])
def test_a_share_out_of_range_is_refused(share):
    with pytest.raises(ValueError, match="`share` of L1 must be a number"):
        L1(1.0, share=share)
