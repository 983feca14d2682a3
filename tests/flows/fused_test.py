"""The fused flow against the bijectors, which define the flow."""

import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.flows.fused import Fused
from tests import tiny


def fused(flow):
    return Fused(flow.level_layers, flow.bins / (flow.bins - 1))


@pytest.mark.parametrize("standardized", [False, True])
def test_values_and_gradients(flow, images, standardized):
    latents = flow.encode(images, standardized=standardized)
    bijector = flow.multiscale(standardized)
    fast = fused(flow).decode
    found = []
    for decode in (
        bijector.forward,
        lambda latents: fast(latents, standardized),
    ):
        with tf.GradientTape() as tape:
            tape.watch(latents)
            decoded = decode(latents)
            total = tf.reduce_sum(decoded**3)
        found.append((decoded, *tape.gradient(total, latents)))
    for one, other in zip(*found):
        gap = np.linalg.norm(one - other) / np.linalg.norm(one)
        assert gap < 1e-5


@pytest.mark.parametrize("standardized", [False, True])
def test_latents(flow, images, standardized):
    found = fused(flow).encode(images, standardized)
    expected = flow.multiscale(standardized).inverse(images)
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-4, atol=1e-5)


def test_it_follows_the_weights(images):
    flow = tiny.make_flow()
    latents = flow.encode(images)
    for weight in flow.trainable_weights:
        weight.assign(weight + 0.01)
    np.testing.assert_allclose(
        fused(flow).decode(latents), flow.decode(latents), atol=1e-5
    )


def test_mixed_precision(images):
    flow = tiny.make_flow(dtype="mixed_bfloat16")
    latents = flow.encode(images)
    decoded = fused(flow).decode(latents)
    assert decoded.dtype == tf.float32
    np.testing.assert_allclose(decoded, flow.decode(latents), atol=2e-2)


def test_no_bijector_at_each_call(flow, images):
    """Matrices are formed when it is made: a call inverts nothing."""
    latents = flow.encode(images)
    fast = fused(flow).decode
    graph = tf.function(lambda latents: fast(latents)).get_concrete_function(
        [tf.TensorSpec(latent.shape) for latent in latents]
    )
    kinds = {operation.type for operation in graph.graph.get_operations()}
    assert "MatrixTriangularSolve" not in kinds
    assert "Exp" not in kinds
