"""The values that training continues from, where Keras averages weights."""

import keras
import numpy as np
import pytest

from ijsat_tf.training.callbacks import averages
from tests.training.callbacks.backup_test import averaging, make_model


def test_without_averages_there_is_nothing_to_keep():
    assert averages.not_averaged(make_model()) == []


@pytest.mark.parametrize("scaled", [False, True])
def test_weights_and_averages_are_kept(scaled):
    model = averaging(scaled)
    model.optimizer.build(model.trainable_variables)
    kept = [variable.path for variable, _ in averages.not_averaged(model)]
    assert {v.path for v in model.trainable_variables} <= set(kept)
    assert any("average" in path for path in kept)


def test_a_learning_rate_is_left_for_callbacks_to_change():
    model = averaging(False)
    model.optimizer.build(model.trainable_variables)
    kept = [variable for variable, _ in averages.not_averaged(model)]
    assert not any(
        variable is model.optimizer._learning_rate for variable in kept
    )


def test_values_are_held_and_given_back_after_an_error():
    variable = keras.Variable([1.0, 2.0])
    with pytest.raises(KeyError):
        with averages.holding([(variable, np.array([3.0, 4.0]))]):
            np.testing.assert_array_equal(variable, [3.0, 4.0])
            raise KeyError
    np.testing.assert_array_equal(variable, [1.0, 2.0])
