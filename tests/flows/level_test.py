"""A level against its layers, one by one, and a numerical Jacobian."""

import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.flows import Level, Squeeze
from tests import jacobian

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.normal(size=(2, 4, 4, 2))


@pytest.fixture(scope="module")
def level():
    level = Level(steps=2, hidden=8, last=False, dtype="float64", name="level")
    level.build((None, 4, 4, 2))
    level.initialize(tf.constant(RANDOM.normal(size=(64, 4, 4, 2))))
    for weight in level.trainable_weights:
        weight.assign_add(RANDOM.normal(size=weight.shape, scale=0.1))
    return level


def test_a_level_squeezes_and_takes_its_steps_in_order(level):
    expected, total = Squeeze().inverse(IMAGES), 0.0
    kinds = ["ActNorm", "InvertibleConv1x1", "AffineCoupling"] * 2
    assert [type(layer).__name__ for layer in level.layers] == kinds
    for layer in level.layers:
        expected, log_det = layer.inverse_and_log_det(expected)
        total += log_det
    got, log_det = level.inverse_and_log_det(tf.constant(IMAGES))
    np.testing.assert_array_equal(got, expected)
    np.testing.assert_allclose(log_det, total, rtol=1e-12)
    assert got.shape == (2, 2, 2, 8)


def test_its_log_determinant_is_that_of_its_jacobian(level):
    numerical = jacobian.log_abs_det(
        lambda images: level.inverse_and_log_det(images)[0], IMAGES
    )
    _, log_det = level.inverse_and_log_det(tf.constant(IMAGES))
    np.testing.assert_allclose(log_det, numerical, atol=1e-6)


def test_the_bijector_is_the_same_map(level):
    expected, log_det = level.inverse_and_log_det(tf.constant(IMAGES))
    np.testing.assert_allclose(
        level.bijector.inverse(IMAGES), expected, rtol=1e-12
    )
    np.testing.assert_allclose(
        level.bijector.inverse_log_det_jacobian(IMAGES, event_ndims=3),
        log_det,
        rtol=1e-12,
    )
    np.testing.assert_allclose(
        level.bijector.forward(expected), IMAGES, atol=1e-12
    )


def test_the_exit_is_a_gaussian_read_off_what_stays(level):
    staying, normal = RANDOM.normal(size=(2, 2, 2, 2, 4))
    mean, log_scale = np.split(level.prior(staying).numpy(), 2, axis=-1)
    assert np.abs(log_scale).max() > 0
    latents = level.standardize(tf.constant(staying)).forward(normal)
    np.testing.assert_allclose(
        latents, mean + np.exp(log_scale) * normal, rtol=1e-12
    )


def test_the_exit_starts_as_a_standard_normal():
    level = Level(steps=1, hidden=8, last=False, dtype="float64")
    level.build((None, 4, 4, 2))
    normal = RANDOM.normal(size=(2, 2, 2, 4))
    np.testing.assert_array_equal(
        level.standardize(tf.constant(normal)).forward(normal), normal
    )


def test_bounds_hold_however_far_the_net_goes():
    low, high = 0.01, 3.0
    level = Level(1, 8, last=False, deviations=(low, high), dtype="float64")
    level.build((None, 4, 4, 2))
    staying, normal = RANDOM.normal(size=(2, 2, 2, 2, 4))
    np.testing.assert_allclose(  # It starts as a standard normal, too.
        level.standardize(tf.constant(staying)).forward(normal), normal
    )
    level.prior.kernel.assign(RANDOM.normal(size=level.prior.kernel.shape))
    for scale in (1, 1e4):
        inputs = tf.constant(scale * staying)
        mean, s = np.split(level.prior(inputs).numpy(), 2, axis=-1)
        middle = np.log((1 - low) / (high - 1))
        with np.errstate(over="ignore"):
            deviation = low + (high - low) / (1 + np.exp(-s - middle))
        assert low <= deviation.min() and deviation.max() <= high
        np.testing.assert_allclose(
            level.standardize(inputs).forward(normal),
            mean + deviation * normal,
            rtol=1e-9,
        )


def test_the_last_level_has_no_learned_exit():
    level = Level(steps=1, hidden=8, last=True)
    level.build((None, 4, 4, 2))
    assert not hasattr(level, "prior")
    assert not [w for w in level.weights if "zero_conv" in w.path.split("/")[1]]


def test_initialize_gives_each_step_a_normalised_input():
    level = Level(steps=2, hidden=8, last=False, dtype="float64")
    level.build((None, 4, 4, 2))
    batch = tf.constant(5 + 3 * RANDOM.normal(size=(64, 4, 4, 2)))
    level.initialize(batch)
    activations = Squeeze().inverse(batch)
    for layer in level.layers:
        activations, _ = layer.inverse_and_log_det(activations)
        if "actnorm" in layer.name:
            mean = np.mean(activations, (0, 1, 2))
            deviation = np.std(activations, (0, 1, 2))
            np.testing.assert_allclose(mean, 0, atol=1e-10)
            np.testing.assert_allclose(deviation, 1, rtol=1e-5)


def test_an_output_that_is_not_finite_names_its_layer():
    level = Level(steps=2, hidden=8, last=False, name="level3")
    level.build((None, 4, 4, 2))
    level.layers[4].log_diagonal.assign(np.full(8, np.nan))
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="level3/step2_conv1x1 is not"
    ):
        level.inverse_and_log_det(tf.constant(IMAGES, tf.float32))


def test_its_settings_make_it_again():
    level = Level(2, 8, last=True, dtype="mixed_bfloat16", name="level4")
    assert level.deviations is None
    again = Level.from_config(level.get_config())
    assert again.get_config() == level.get_config()
    assert (again.steps, again.hidden, again.last) == (2, 8, True)
