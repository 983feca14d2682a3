"""Weights that training continues from, where Keras puts their averages.

With `use_ema=True` Keras assigns the averages to the variables when `fit` ends,
and `keras.callbacks.SwapEMAWeights` does so when an epoch ends.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import keras

from ijsat_tf.runtime import loss_scale


def not_averaged(model: keras.Model) -> list[tuple[keras.Variable, Any]]:
    """Lists pairs of a variable and its present value.

    Args:
        model: Compiled model, before Keras assigns averages to its variables.

    Returns:
        The trainable variables and the state of the optimizer, or an empty list
        if the optimizer averages no weights.
    """
    optimizer = model.optimizer
    if not any(each.use_ema for each in loss_scale.every(optimizer)):
        return []
    # Scalars such as the learning rate are left for callbacks to change.
    states = [v for v in optimizer.variables if len(v.shape)]
    return [(v, v.numpy()) for v in [*model.trainable_variables, *states]]


@contextlib.contextmanager
def holding(values: list[tuple[keras.Variable, Any]]) -> Iterator[None]:
    """A context in which variables have given values.

    Args:
        values: Pairs of a variable and its value within the context.
    """
    before = [(variable, variable.numpy()) for variable, _ in values]
    try:
        for variable, number in values:
            variable.assign(number)
        yield
    finally:
        for variable, number in before:
            variable.assign(number)
