"""Errors that say when and where a training stopped being finite."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import keras
import tensorflow as tf


class NotFinite(ValueError):
    """The error that a number of a training is not finite.

    The message names the last step, and the first variable that is not
    finite.

    Args:
        model: Model after its last step.
        what: Sentence that says what is not finite.
    """

    def __init__(self, model: keras.Model, what: str):
        path = first_variable(model)
        where = f"the first such variable is {path}"
        optimizer = getattr(model, "optimizer", None)
        steps = int(optimizer.iterations.numpy()) if optimizer else 0
        super().__init__(
            f"{what} This was after step {steps}; "
            f"{where if path else 'all variables are finite'}."
        )


def first_variable(model: keras.Model) -> str | None:
    """The path of the first variable that is not finite.

    Args:
        model: Model to search: first its weights, then the variables of its
            optimizer.

    Returns:
        The path, or None if all variables are finite.
    """
    optimizer = getattr(model, "optimizer", None)
    for variable in [*model.weights, *getattr(optimizer, "variables", [])]:
        numbers = tf.convert_to_tensor(variable)
        if numbers.dtype.is_floating:
            if not tf.reduce_all(tf.math.is_finite(numbers)):
                return variable.path
    return None


@contextlib.contextmanager
def located(model: keras.Model) -> Iterator[None]:
    """Adds step and variable to errors about numbers that are not finite.

    Args:
        model: Model that is trained within the context.
    """
    try:
        yield
    except NotFinite:
        raise
    except ValueError as error:
        if "not finite" not in str(error):
            raise
        raise NotFinite(model, str(error)) from None
