"""Which variable an error names, after which step."""

import keras
import numpy as np
import pytest

from ijsat_tf.runtime import not_finite


def make(optimizer=None):
    model = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(3), keras.layers.Dense(1)]
    )
    if optimizer:
        model.compile(optimizer, "mse", run_eagerly=True)
        model.optimizer.build(model.trainable_variables)
    return model


def spoil(variable, value=np.nan):
    """In one place of many."""
    numbers = np.array(variable)
    numbers.flat[-1] = value
    variable.assign(numbers)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_the_first_of_several_is_found(value):
    model = make(keras.optimizers.Adam())
    assert not_finite.first_variable(model) is None
    later = [*model.weights, *model.optimizer.variables][::-1]
    # Each is found before those that were spoilt already.
    floats = [each for each in later if each.dtype == "float32"]
    # Learning rate, two moments of each weight, and weights.
    assert len(floats) == 1 + 2 * 4 + 4
    for variable in floats:
        spoil(variable, value)
        assert not_finite.first_variable(model) == variable.path


def test_the_message_names_step_and_variable():
    model = make("sgd")
    data = np.ones((8, 2), "float32"), np.ones((8, 1), "float32")
    model.fit(*data, batch_size=2, epochs=3, verbose=0)
    fine = not_finite.NotFinite(model, "The loss is not finite.")
    assert isinstance(fine, ValueError)
    assert str(fine) == (
        "The loss is not finite. This was after step 12; "
        "all variables are finite."
    )
    spoil(bias := model.layers[0].bias)
    assert str(not_finite.NotFinite(model, "Stop.")) == (
        f"Stop. This was after step 12; the first such variable is {bias.path}."
    )


def test_a_model_without_an_optimizer_has_taken_no_step():
    model = make()
    spoil(kernel := model.layers[1].kernel)
    message = f"after step 0; the first such variable is {kernel.path}"
    assert message in str(not_finite.NotFinite(model, "Stop."))


def test_a_place_is_added_to_errors_once():
    model = make("sgd")
    spoil(kernel := model.layers[0].kernel)
    with pytest.raises(not_finite.NotFinite) as caught:
        with not_finite.located(model), not_finite.located(model):
            raise ValueError("The gradient is not finite.")
    assert str(caught.value) == (
        "The gradient is not finite. This was after step 0; the first such "
        f"variable is {kernel.path}."
    )


@pytest.mark.parametrize(
    "error", [ValueError("wrong shape"), TypeError("not finite")]
)
def test_other_errors_pass(error):
    with pytest.raises(type(error)) as caught:
        with not_finite.located(make()):
            raise error
    assert caught.value is error
