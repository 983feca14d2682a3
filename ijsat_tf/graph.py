"""One rule for speed: eager calls run as one cached graph."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from ijsat_tf import checks


def compiled(function: Callable) -> Callable:
    """Runs a function as one cached `tf.function` when called eagerly.

    Inside a graph the function's own operations are added to that graph, so
    that nothing is traced twice and distribution strategies see plain code.
    Python objects among the arguments (a model, an attack) select the cached
    graph, equal ones the same; tensors do not, whatever their batch size.
    """

    @functools.partial(tf.function, reduce_retracing=True, autograph=False)
    def traced(*args, **kwargs):
        args, kwargs = tf.nest.map_structure(_taken, (args, kwargs))
        return function(*args, **kwargs)

    @functools.wraps(function)
    def call(*args, **kwargs):
        if not tf.executing_eagerly():
            return function(*args, **kwargs)
        args, kwargs = tf.nest.map_structure(_held, (args, kwargs))
        with checks.readable_errors():
            return traced(*args, **kwargs)

    call.traced = traced
    return call


class _Held(tf.types.experimental.TraceType):
    """A Python object that selects a graph.

    TensorFlow itself would keep a weak reference, so that a value made anew
    for each call is traced each time, and would replace a function made by
    `functools.wraps` by the one inside.
    """

    def __init__(self, item: Any):
        self.item = item

    def __tf_tracing_type__(self, context: Any) -> _Held:
        return self

    def is_subtype_of(self, other: Any) -> bool:
        return self == other

    def most_specific_common_supertype(self, others: Any) -> _Held | None:
        return self if all(self == other for other in others) else None

    def placeholder_value(self, context: Any = None) -> _Held:
        return self

    def cast(self, value: Any, context: Any) -> Any:
        return value

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, _Held) and (
            self.item is other.item or self.item == other.item
        )

    def __hash__(self) -> int:
        return hash(self.item)


def _held(item: Any) -> Any:
    plain = (tf.Tensor, tf.Variable, bool, int, float, str, type(None))
    if isinstance(item, plain) or hasattr(item, "__array__"):
        return item
    return _Held(item)


def _taken(item: Any) -> Any:
    return item.item if isinstance(item, _Held) else item
