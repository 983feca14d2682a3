"""Affine coupling against the formulas of RealNVP in NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.flows import AffineCoupling
from tests import jacobian

RANDOM = np.random.default_rng(0)


def _coupling(channels: int, dtype="float64", perturbed=0.3):
    layer = AffineCoupling(8, dtype=dtype)
    layer.build((None, 2, 3, channels))
    for weight in layer.trainable_weights:
        noise = RANDOM.normal(size=weight.shape, scale=perturbed)
        weight.assign_add(noise.astype(weight.dtype))
    return layer


@pytest.mark.parametrize("channels", [4, 5])
def test_it_is_what_real_nvp_says(channels):
    layer = _coupling(channels)
    images = RANDOM.normal(size=(3, 2, 3, channels))
    half = channels // 2
    first, second = images[..., :half], images[..., half:]
    shift, scale = np.split(layer.net(first).numpy(), 2, axis=-1)
    scale = 0.2 + 0.8 / (1 + np.exp(-(scale + 2)))
    expected = np.concatenate([first, (second + shift) * scale], -1)
    latents, log_det = layer.inverse_and_log_det(tf.constant(images))
    np.testing.assert_allclose(latents, expected, rtol=1e-10)
    np.testing.assert_allclose(
        log_det, np.log(scale).sum((1, 2, 3)), rtol=1e-10
    )
    np.testing.assert_allclose(
        layer.bijector.forward(expected), images, rtol=1e-10
    )
    np.testing.assert_allclose(
        jacobian.log_abs_det(lambda x: layer.inverse_and_log_det(x)[0], images),
        log_det,
        atol=1e-6,
    )


def test_one_pass_equals_the_bijector():
    layer = _coupling(4)
    images = tf.constant(RANDOM.normal(size=(3, 2, 3, 4)))
    latents, log_det = layer.inverse_and_log_det(images)
    np.testing.assert_array_equal(layer.bijector.inverse(images), latents)
    np.testing.assert_allclose(
        layer.bijector.inverse_log_det_jacobian(images, event_ndims=3),
        log_det,
        rtol=1e-12,
    )


def test_a_pass_runs_the_net_once(monkeypatch):
    layer, calls = _coupling(4), []
    affine = layer.affine
    monkeypatch.setattr(
        layer, "affine", lambda known: calls.append(1) or affine(known)
    )
    layer.inverse_and_log_det(tf.constant(RANDOM.normal(size=(3, 2, 3, 4))))
    assert len(calls) == 1


def test_it_starts_with_one_scale_for_all_images():
    layer = _coupling(4, perturbed=0.0)
    images = RANDOM.normal(size=(3, 2, 3, 4))
    expected = images.copy()
    expected[..., 2:] *= 0.2 + 0.8 / (1 + np.exp(-2))
    np.testing.assert_allclose(
        layer.bijector.inverse(images), expected, rtol=1e-10
    )


@pytest.mark.parametrize("size", [1e3, 1e6])
def test_far_from_the_data_the_inverse_stays_finite(size):
    layer = _coupling(4, "float32")
    images = np.float32(size * RANDOM.normal(size=(3, 2, 3, 4)))
    latents = layer.bijector.inverse(images)
    again = layer.bijector.forward(latents)
    assert np.isfinite(latents).all()
    # The shift is of the net's size, which is some times that of the images.
    np.testing.assert_allclose(again, images, atol=1e-4 * size)


def test_only_hidden_layers_compute_in_the_compute_type():
    layer = _coupling(4, "mixed_bfloat16")
    images = np.float32(RANDOM.normal(size=(3, 2, 3, 4)))
    types = [part.compute_dtype for part in layer.net.layers]
    assert types == ["bfloat16", "bfloat16", "float32"]
    assert layer.net(images[..., :2]).dtype == tf.float32
    assert {weight.dtype for weight in layer.weights} == {"float32"}
    latents, log_det = layer.inverse_and_log_det(tf.constant(images))
    assert latents.dtype == log_det.dtype == tf.float32
    np.testing.assert_allclose(
        layer.bijector.forward(latents), images, atol=1e-5
    )


def test_its_settings_make_it_again():
    layer = AffineCoupling(8, dtype="mixed_bfloat16", name="here")
    again = AffineCoupling.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert (again.hidden, again.name) == (8, "here")
    assert again.compute_dtype == "bfloat16"
