"""Mixed precision stays finite, and weights stay float32."""

import keras
import numpy as np
import pytest

import ijsat_tf as ij
from tests import tiny
from tests.conformance import catalogue


@pytest.fixture
def mixed():
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_dtype_policy("float32")


@pytest.fixture(scope="session")
def mixed_flow():
    keras.utils.set_random_seed(0)
    return tiny.make_flow(dtype="mixed_bfloat16")


@pytest.mark.parametrize("name", catalogue.ATTACKS)
def test_attacks(name, mixed, mixed_flow, images, labels):
    attack = catalogue.ATTACKS[name](mixed_flow)
    # Tracing takes most of the time, and other tests hold graph = eager.
    with catalogue.eagerly():
        result = attack(tiny.make_classifier(), images, labels)
    assert result.images.dtype == "float32"
    assert np.isfinite(result.images).all()
    assert np.isfinite(result.loss).all()
    changed = np.abs(result.images - images).max(axis=(1, 2, 3)) > 1e-3
    # Other searches may return the clean image where they find nothing.
    if isinstance(attack, ij.attacks.SpaceAttack):
        assert changed.all(), f"images {np.flatnonzero(~changed)} stayed"


@pytest.mark.parametrize("name", catalogue.METHODS)
def test_methods(name, mixed, mixed_flow, images, labels):
    model = catalogue.make_model(catalogue.METHODS[name](mixed_flow))
    model.run_eagerly = True
    before = model.classifier.get_weights()
    with catalogue.eagerly():
        for _ in range(2):
            loss = model.train_on_batch(images, labels)[0]
    assert np.isfinite(loss)
    for weight, start in zip(model.classifier.weights, before):
        assert weight.dtype == "float32"
        assert np.isfinite(weight).all()
        assert not np.array_equal(weight, start)


def test_glow(mixed_flow, images):
    assert {weight.dtype for weight in mixed_flow.weights} == {"float32"}
    exact = mixed_flow.with_dtype("float32").log_prob(images)
    rough = mixed_flow.log_prob(images)
    np.testing.assert_allclose(rough, exact, rtol=0.05, atol=2.0)
