"""The radii and steps of balls as tensors, so that radii share one graph."""

from __future__ import annotations

import copy
import dataclasses
import itertools
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from ijsat_tf.spaces.balls import Ball
from ijsat_tf.types import Value

_NUMBERS = "radius", "step"


def lifted(value: Value) -> tuple[Value, tf.Tensor]:
    """A value without the radii and steps of its balls, and these numbers.

    Values that differ only in radii and step sizes become equal. So these
    values share a graph, which takes the numbers as an input.

    Args:
        value: Attack or space, which is searched for balls at any depth.

    Returns:
        A value that only `lowered` can use, and float64 numbers (N,).
    """
    numbers: list[float] = []

    def lift(name: str, number: float | None) -> str | None:
        if number is None:  # The step follows from the radius.
            return None
        numbers.append(number)
        return name

    empty = _mapped(value, lift)
    return empty, tf.constant(numbers, tf.float64)


def lowered(value: Value, numbers: tf.Tensor) -> Value:
    """The inverse of `lifted`, with scalar tensors in place of floats.

    Args:
        value: Value that `lifted` returned.
        numbers: Numbers (N,), the numbers that `lifted` returned or others.
    """
    place = itertools.count()
    return _mapped(
        value, lambda _, mark: None if mark is None else numbers[next(place)]
    )


def _mapped(setting: Any, change: Callable[[str, Any], Any]) -> Any:
    if isinstance(setting, tuple):
        return tuple(_mapped(item, change) for item in setting)
    if not isinstance(setting, Value):
        return setting
    # A copy avoids `__init__`, whose checks the marks would not pass.
    copied = copy.copy(setting)
    of_ball = isinstance(setting, Ball)
    for field in dataclasses.fields(setting):
        given = getattr(setting, field.name)
        new = (
            change(field.name, given)
            if of_ball and field.name in _NUMBERS
            else _mapped(given, change)
        )
        object.__setattr__(copied, field.name, new)
    return copied
