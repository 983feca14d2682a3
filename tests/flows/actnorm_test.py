"""ActNorm against TFP's own, and its start against the batch."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_probability.python.bijectors import glow as tfp_glow

from ijsat_tf.flows import ActNorm

RANDOM = np.random.default_rng(0)
BATCH = (3 + 2 * RANDOM.normal(size=(16, 4, 4, 6))) * np.arange(1, 7)


@pytest.fixture
def actnorm():
    layer = ActNorm(dtype="float64")
    layer.build(BATCH.shape)
    return layer


def test_it_starts_as_the_identity(actnorm):
    np.testing.assert_array_equal(actnorm.bijector.forward(BATCH), BATCH)


def test_it_shifts_and_scales_each_channel(actnorm):
    shift, log_scale = RANDOM.normal(size=(2, 6))
    actnorm.shift.assign(shift)
    actnorm.log_scale.assign(log_scale)
    latents, log_det = actnorm.inverse_and_log_det(tf.constant(BATCH))
    np.testing.assert_allclose(
        latents, (BATCH - shift) * np.exp(-log_scale), rtol=1e-12
    )
    np.testing.assert_allclose(log_det, -16 * log_scale.sum(), rtol=1e-12)
    np.testing.assert_allclose(
        actnorm.bijector.forward(latents), BATCH, rtol=1e-12
    )


def test_it_equals_tfp_once_both_have_seen_a_batch(actnorm):
    actnorm.initialize(tf.constant(BATCH))
    theirs = tfp_glow.ActivationNormalization(6, dtype=tf.float64)
    theirs.inverse(BATCH)
    other = RANDOM.normal(size=BATCH.shape)
    for mine, their in (
        (actnorm.bijector.inverse(other), theirs.inverse(other)),
        (actnorm.bijector.forward(other), theirs.forward(other)),
    ):
        np.testing.assert_allclose(mine, their, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        actnorm.bijector.inverse_log_det_jacobian(other, event_ndims=1),
        theirs.inverse_log_det_jacobian(other, event_ndims=1),
        rtol=1e-5,
    )


def test_initialized_activations_have_mean_0_and_deviation_1(actnorm):
    actnorm.initialize(tf.constant(BATCH))
    latents, log_det = actnorm.inverse_and_log_det(tf.constant(BATCH))
    np.testing.assert_allclose(np.mean(latents, (0, 1, 2)), 0, atol=1e-12)
    np.testing.assert_allclose(np.std(latents, (0, 1, 2)), 1, rtol=1e-5)
    expected = -16 * np.log(BATCH.std((0, 1, 2))).sum()
    np.testing.assert_allclose(log_det, expected, rtol=1e-5)


def test_a_constant_channel_stays_finite():
    batch = np.float32(BATCH)
    batch[..., 2] = 0.5
    layer = ActNorm()
    layer.build(batch.shape)
    layer.initialize(tf.constant(batch))
    latents, log_det = layer.inverse_and_log_det(tf.constant(batch))
    assert np.isfinite(latents).all() and np.isfinite(log_det)
    assert np.abs(latents.numpy()[..., 2]).max() < 1
    np.testing.assert_allclose(
        layer.bijector.forward(latents), batch, rtol=1e-5, atol=1e-5
    )
