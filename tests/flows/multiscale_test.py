"""The chain over levels against its levels, one by one."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from ijsat_tf.flows import Multiscale
from tests import jacobian, tiny

IMAGES = np.random.default_rng(3).normal(size=(2, 8, 8, 2))


@pytest.fixture(scope="module")
def levels():
    return tiny.make_flow("float64", levels=3, hidden=4).level_layers


@pytest.fixture(params=[False, True], ids=["raw", "standardized"])
def standardized(request):
    return request.param


def test_half_of_the_channels_leave_after_each_level(levels, standardized):
    activations, expected = tf.constant(IMAGES), []
    for level in levels:
        activations, _ = level.inverse_and_log_det(activations)
        if level.last:
            expected.append(activations.numpy())
            break
        activations, leaving = np.split(activations.numpy(), 2, axis=-1)
        if standardized:
            prior = level.prior(activations).numpy()
            mean, s = np.split(prior, 2, axis=-1)
            low, high = level.deviations
            middle = np.log((1 - low) / (high - 1))
            share = 1 / (1 + np.exp(-s - middle))
            leaving = (leaving - mean) / (low + (high - low) * share)
        expected.append(leaving)
    latents = Multiscale(levels, standardized).inverse(IMAGES)
    assert [tuple(latent.shape[1:]) for latent in latents] == [
        (4, 4, 4),
        (2, 2, 8),
        (1, 1, 32),
    ]
    for latent, array in zip(latents, expected, strict=True):
        np.testing.assert_allclose(latent, array, rtol=1e-10)


def test_forward_of_a_fresh_bijector_inverts(levels, standardized):
    latents = Multiscale(levels, standardized).inverse(IMAGES)
    # TFP would remember the images of these very tensors.
    again = Multiscale(levels, standardized).forward(latents)
    np.testing.assert_allclose(again, IMAGES, atol=1e-12)


def test_log_determinant(levels, standardized):
    bijector = Multiscale(levels, standardized)
    latents, log_det = bijector.inverse_and_log_det(tf.constant(IMAGES))
    numerical = jacobian.log_abs_det(
        lambda images: Multiscale(levels, standardized).inverse(images), IMAGES
    )
    np.testing.assert_allclose(log_det, numerical, atol=1e-5)
    np.testing.assert_allclose(
        Multiscale(levels, standardized).inverse_log_det_jacobian(IMAGES),
        log_det,
        rtol=1e-12,
    )
    np.testing.assert_allclose(
        Multiscale(levels, standardized).forward_log_det_jacobian(latents),
        -log_det,
        rtol=1e-10,
    )


@pytest.mark.sampled
@pytest.mark.parametrize("batch", [(), (1,), (6,), (2, 3), (1, 3, 2)])
def test_any_batch_shape(levels, standardized, batch):
    count = int(np.prod(batch))
    rows = np.random.default_rng(4).normal(size=(count, 8, 8, 2))
    images = rows.reshape(*batch, 8, 8, 2)
    latents = Multiscale(levels, standardized).inverse(images)
    expected = Multiscale(levels, standardized).inverse(rows)
    for latent, array in zip(latents, expected, strict=True):
        assert latent.shape == (*batch, *array.shape[1:])
        np.testing.assert_allclose(
            np.reshape(latent, array.shape), array, rtol=1e-10
        )
    # TFP would remember the images of these very tensors.
    again = Multiscale(levels, standardized).forward(latents)
    np.testing.assert_allclose(again, images, atol=1e-12)
    bijector = Multiscale(levels, standardized)
    log_det = bijector.inverse_log_det_jacobian(images)
    assert log_det.shape == batch
    np.testing.assert_allclose(
        np.reshape(log_det, [count]),
        Multiscale(levels, standardized).inverse_log_det_jacobian(rows),
        rtol=1e-10,
    )


def test_types_are_told_without_a_computation(levels):
    bijector = Multiscale(levels)
    assert bijector.inverse_dtype(tf.float64) == [tf.float64] * 3
    assert bijector.forward_dtype([tf.float64] * 3) == tf.float64


def test_event_shapes_let_tfp_build_the_distribution(flow, images):
    """log p(x) as TFP's own TransformedDistribution has it."""
    bijector = flow.multiscale(standardized=True)
    shapes = bijector.inverse_event_shape([8, 8, 2])
    assert [tuple(shape) for shape in shapes] == flow.latent_shapes
    assert tuple(bijector.forward_event_shape(shapes)) == (8, 8, 2)
    prior = tfp.distributions.JointDistributionSequential(
        [
            tfp.distributions.Sample(tfp.distributions.Normal(0.0, 1.0), shape)
            for shape in flow.latent_shapes
        ]
    )
    whole = tfp.distributions.TransformedDistribution(prior, bijector)
    expected = flow.log_prob(images)
    np.testing.assert_allclose(
        whole.log_prob(images), expected, rtol=1e-4, atol=1e-3
    )
    for shape in ((), (3,), (2, 3)):
        samples = whole.sample(shape, seed=1)
        assert samples.shape == (*shape, 8, 8, 2)
        assert whole.log_prob(samples).shape == shape
    one = whole.log_prob(images[0])
    np.testing.assert_allclose(one, expected[0], rtol=1e-4, atol=1e-3)
    pairs = whole.log_prob(np.reshape(images, (3, 2, 8, 8, 2)))
    np.testing.assert_allclose(
        np.reshape(pairs, [6]), expected, rtol=1e-4, atol=1e-3
    )
    in_graph = tf.function(lambda: whole.sample((2, 3), seed=1))
    assert in_graph.get_concrete_function().output_shapes == (2, 3, 8, 8, 2)
