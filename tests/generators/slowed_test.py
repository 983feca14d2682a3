"""Learning rates of a slowed optimizer against those of the one it copies."""

import keras
import numpy as np
import pytest

from ijsat_tf.generators.slowed import Slowed, slowed


def falling():
    return keras.optimizers.schedules.PolynomialDecay(0.3, 6, 0.0)


def rate(optimizer, step):
    optimizer.iterations.assign(step)
    return float(optimizer.learning_rate)


@pytest.mark.parametrize("factor", [1, 3])
def test_rates_stand_still_for_as_many_steps(factor):
    optimizer = slowed(keras.optimizers.SGD(falling()), factor)
    found = [rate(optimizer, step) for step in range(6 * factor + 2)]
    expected = np.repeat([0.3, 0.25, 0.2, 0.15, 0.1, 0.05], factor)
    np.testing.assert_allclose(found, [*expected, 0, 0], atol=1e-7)


def test_a_number_stays_with_all_other_settings():
    adam = keras.optimizers.Adam(0.02, beta_1=0.5, clipnorm=3.0)
    copy = slowed(adam, 5)
    assert type(copy) is keras.optimizers.Adam and copy is not adam
    assert copy.get_config() == adam.get_config()
    assert rate(copy, 7) == pytest.approx(0.02)


def test_an_optimizer_inside_of_another_is_slowed():
    scaled = keras.optimizers.LossScaleOptimizer(
        keras.optimizers.SGD(falling(), momentum=0.9), initial_scale=8.0
    )
    copy = slowed(scaled, 2)
    assert isinstance(copy, keras.optimizers.LossScaleOptimizer)
    assert (copy.initial_scale, copy.inner_optimizer.momentum) == (8.0, 0.9)
    weight = keras.Variable([1.0])
    expected, velocity = 1.0, 0.0
    for each in (0.3, 0.3, 0.25, 0.25, 0.2):
        assert float(copy.learning_rate) == pytest.approx(each)
        copy.apply([np.float32([8.0])], [weight])  # A gradient of 1, scaled.
        velocity = 0.9 * velocity - each
        expected += velocity
        np.testing.assert_allclose(weight, [expected], rtol=1e-5)


def test_a_saved_schedule_comes_back():
    config = keras.saving.serialize_keras_object(Slowed(falling(), 4))
    again = keras.saving.deserialize_keras_object(config)
    assert type(again) is Slowed
    # Between the steps 3 and 4 of the other, and at its step 4.
    assert float(again(14)) == pytest.approx(0.15)
    assert float(again(16)) == pytest.approx(0.1)
