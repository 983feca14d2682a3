"""The invertible 1x1 convolution against products with W in NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from ijsat_tf.flows import InvertibleConv1x1

CHANNELS = 6
RANDOM = np.random.default_rng(0)
BATCH = RANDOM.normal(size=(3, 4, 5, CHANNELS))


def _layer(perturbed: float = 0.0, dtype="float64") -> InvertibleConv1x1:
    layer = InvertibleConv1x1(dtype=dtype)
    layer.build(BATCH.shape)
    for weight in layer.trainable_weights:
        noise = RANDOM.normal(size=weight.shape, scale=perturbed)
        weight.assign_add(noise.astype(dtype))
    return layer


def _matrix(layer: InvertibleConv1x1) -> np.ndarray:
    """W = P L (U + diag(sign exp(log_diagonal))) from the weights."""
    lower = np.tril(layer.lower.numpy(), -1) + np.eye(CHANNELS)
    diagonal = layer.sign.numpy() * np.exp(layer.log_diagonal.numpy())
    upper = np.triu(layer.upper.numpy(), 1) + np.diag(diagonal)
    return layer.permutation.numpy() @ lower @ upper


def test_it_starts_orthogonal_and_different_each_time():
    first, second = _matrix(_layer()), _matrix(_layer())
    for matrix in (first, second):
        np.testing.assert_allclose(
            matrix @ matrix.T, np.eye(CHANNELS), atol=1e-6
        )
    assert np.abs(first - second).max() > 0.1


def test_the_seed_decides_the_start():
    keras.utils.set_random_seed(1)
    first = _matrix(_layer())
    keras.utils.set_random_seed(1)
    np.testing.assert_array_equal(_matrix(_layer()), first)


@pytest.mark.parametrize("perturbed", [0.0, 0.3])
def test_it_multiplies_each_pixel_by_the_matrix(perturbed):
    layer = _layer(perturbed)
    matrix = _matrix(layer)
    latents, log_det = layer.inverse_and_log_det(tf.constant(BATCH))
    np.testing.assert_allclose(latents, BATCH @ matrix, rtol=1e-10)
    np.testing.assert_allclose(
        log_det, 4 * 5 * np.linalg.slogdet(matrix)[1], atol=1e-10
    )
    np.testing.assert_allclose(
        layer.bijector.forward(BATCH),
        BATCH @ np.linalg.inv(matrix),
        rtol=1e-8,
        atol=1e-8,
    )


def test_it_equals_a_convolution_and_the_lu_bijector_of_tfp():
    layer = _layer(0.3)
    matrix = _matrix(layer)
    latents = layer.bijector.inverse(BATCH)
    np.testing.assert_allclose(
        tf.nn.conv2d(BATCH, matrix[None, None], 1, "VALID"),
        latents,
        rtol=1e-10,
    )
    # Theirs multiplies columns from the left: it is given W transposed.
    lower_upper, permutation = tf.linalg.lu(tf.constant(matrix.T))
    theirs = tfp.bijectors.ScaleMatvecLU(lower_upper, permutation)
    np.testing.assert_allclose(theirs.forward(BATCH), latents, rtol=1e-8)
    np.testing.assert_allclose(
        theirs.forward_log_det_jacobian(BATCH, event_ndims=3),
        layer.bijector.inverse_log_det_jacobian(BATCH, event_ndims=3),
        rtol=1e-8,
    )


def test_no_weights_make_the_matrix_singular():
    for _ in range(20):
        layer = _layer(3.0)
        _, log_det = layer.inverse_and_log_det(tf.constant(BATCH))
        sign, expected = np.linalg.slogdet(_matrix(layer))
        assert sign in (-1, 1)
        np.testing.assert_allclose(log_det, 20 * expected, rtol=1e-6)
        np.testing.assert_allclose(
            log_det, 20 * layer.log_diagonal.numpy().sum(), rtol=1e-10
        )


def test_it_inverts_in_float32():
    layer = _layer(0.1, "float32")
    batch = np.float32(BATCH)
    latents = layer.bijector.inverse(batch)
    np.testing.assert_allclose(
        layer.bijector.forward(latents), batch, atol=1e-5
    )


def test_the_fixed_weights_are_not_trained():
    layer = _layer()
    names = {weight.name for weight in layer.trainable_weights}
    assert names == {"lower", "upper", "log_diagonal"}
    fixed = {weight.name for weight in layer.non_trainable_weights}
    assert fixed == {"permutation", "sign"}


def test_gradients_keep_to_the_triangles():
    layer = _layer(0.1)
    with tf.GradientTape() as tape:
        latents, log_det = layer.inverse_and_log_det(tf.constant(BATCH))
        result = tf.reduce_sum(latents**2) + log_det
    variables = [layer.lower.value, layer.upper.value]
    lower, upper = tape.gradient(result, variables)
    inside = np.tril(np.ones_like(lower), -1)
    np.testing.assert_array_equal(lower.numpy() != 0, inside == 1)
    np.testing.assert_array_equal(upper.numpy() != 0, inside.T == 1)
