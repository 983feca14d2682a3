import keras
import numpy as np
import pytest

import ijsat_tf as ij


def test_coupled_penalty_by_hand():
    """torch's SGD: v <- mu v + (g + l2 w), w <- w - lr v, lr constant."""
    optimizer = ij.training.SGD(0.1, momentum=0.9, l2=0.05)
    weights = [
        keras.Variable(np.array([1.0, -2.0], "float32"), name="kernel"),
        keras.Variable(np.array(3.0, "float32"), name="bias"),
    ]
    optimizer.build(weights)
    expected = [weight.numpy().copy() for weight in weights]
    momentum = [np.zeros_like(weight) for weight in expected]
    draws = np.random.default_rng(0)
    for _ in range(4):
        gradients = [draws.normal(size=w.shape) for w in expected]
        gradients = [np.asarray(g, "float32") for g in gradients]
        optimizer.apply(gradients, weights)
        for place, gradient in enumerate(gradients):
            total = gradient + 0.05 * expected[place]
            momentum[place] = 0.9 * momentum[place] + total
            expected[place] = expected[place] - 0.1 * momentum[place]
    for weight, value in zip(weights, expected):
        np.testing.assert_allclose(weight, value, rtol=1e-5)


def test_it_is_saved_with_its_penalty():
    optimizer = ij.training.SGD(0.1, l2=2e-4, nesterov=True)
    config = keras.saving.serialize_keras_object(optimizer)
    copy = keras.saving.deserialize_keras_object(config)
    assert copy.get_config() == optimizer.get_config()
    assert copy.l2 == 2e-4 and copy.nesterov


def test_bad_settings():
    with pytest.raises(ValueError, match="`l2`"):
        ij.training.SGD(l2=-1.0)
    with pytest.raises(ValueError, match="not both"):
        ij.training.SGD(l2=1e-4, weight_decay=1e-4)
