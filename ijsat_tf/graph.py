"""One rule for speed: eager calls run as one cached graph."""

from __future__ import annotations

import functools
from collections.abc import Callable

import tensorflow as tf

from ijsat_tf import checks


def compiled(function: Callable) -> Callable:
    """Runs a function as one cached `tf.function` when called eagerly.

    Inside a graph the function's own operations are added to that graph, so
    that nothing is traced twice and distribution strategies see plain code.
    Python objects among the arguments (a model, an attack) select the cached
    graph; tensors do not, whatever their batch size.
    """
    traced = tf.function(function, reduce_retracing=True, autograph=False)

    @functools.wraps(function)
    def call(*args, **kwargs):
        if not tf.executing_eagerly():
            return function(*args, **kwargs)
        with checks.readable_errors():
            return traced(*args, **kwargs)

    call.traced = traced
    return call
