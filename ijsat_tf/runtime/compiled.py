"""Eager calls that run as one cached graph, for speed."""

from __future__ import annotations

import collections
import functools
import gc
import inspect
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from ijsat_tf import checks
from ijsat_tf.runtime.structure import Structure
from ijsat_tf.types import Value

_GRAPHS = 64
# Dropped graphs that wait for one collection.
_WAITING = 16


def compiled(
    function: Callable | None = None, *, rows: tuple[str, ...] = ()
) -> Callable:
    """Runs a function as one cached `tf.function` when called eagerly.

    Inside a graph the function's own operations are added to that graph, so
    that nothing is traced twice and distribution strategies see plain code.
    Python objects among the arguments (a model, an attack) select the cached
    graph, and equal objects select the same graph. A network whose structure
    has changed gets another graph (`Structure`). Tensors select the graph by
    their ranks alone, whatever their batch size. Each strategy of
    `tf.distribute` has graphs of its own. The graphs used last are kept, with
    the objects that these graphs refer to.

    Args:
        function: Function of tensors and Python objects.
        rows: Names of the arguments whose tensors have one row per sample. One
            graph serves batches of all sizes. Tensors of other arguments
            get a second graph, when their first dimension changes.
    """
    if function is None:
        return functools.partial(compiled, rows=rows)
    graphs: collections.OrderedDict = collections.OrderedDict()
    dropped = waiting = 0

    # AutoGraph would spend seconds on rewriting this library's functions
    # inside each `tf.function` of a user, and no function here needs it.
    @tf.autograph.experimental.do_not_convert
    @functools.wraps(function)
    def call(*args, **kwargs):
        nonlocal dropped, waiting
        if not tf.executing_eagerly():
            return function(*args, **kwargs)
        flat = tf.nest.flatten((args, kwargs))
        tensors = [item for item in flat if _is_tensor(item)]
        shape = tf.nest.map_structure(lambda _: 0, (args, kwargs))
        strategy = tf.distribute.get_strategy()
        key = (strategy, str(shape), *map(Key, flat))
        if key not in graphs:
            with checks.readable_errors():
                graphs[key] = _traced(function, rows, args, kwargs)
            if len(graphs) > _GRAPHS:
                _, oldest = graphs.popitem(last=False)
                dropped += oldest.experimental_get_tracing_count()
                waiting += 1
                # A graph refers to itself: it keeps the network's weights
                # until a garbage collection, which takes a second or more. So
                # one collection frees several graphs.
                del oldest
                if waiting == _WAITING:
                    waiting = 0
                    gc.collect()
        graphs.move_to_end(key)
        with checks.readable_errors():
            return graphs[key](*tensors)

    def tracing_count() -> int:
        """How often the function has been traced."""
        return dropped + sum(
            graph.experimental_get_tracing_count() for graph in graphs.values()
        )

    call.tracing_count = tracing_count
    return call


class Key:
    """A dictionary key made of an argument; tensors of equal rank are equal.

    The rank is part of the key, because a graph that serves several ranks
    could not know the rank of its inputs.

    The keys of `tf.function` would not do: `tf.function` keeps weak
    references, so that a value that is created again for each call would be
    traced each time. It also replaces a function made by `functools.wraps`
    by the function inside.

    Attributes:
        given: Argument, or None for a tensor.
    """

    def __init__(self, item: Any):
        self.given = None if _is_tensor(item) else item
        self.item = _compared(item)
        try:
            self.hash = hash(self.item)
        except TypeError:
            self.hash = id(self.item)

    def __hash__(self) -> int:
        return self.hash

    def __eq__(self, other: Any) -> bool:
        mine, its = self.item, other.item
        return mine is its or (type(mine) is type(its) and mine == its)


def _compared(item: Any) -> Any:
    if _is_tensor(item):
        return Key, len(item.shape)
    if isinstance(item, keras.layers.Layer):
        return Structure(item)
    if isinstance(item, Value) and item.networks():
        return item, *map(Structure, item.networks())
    return item


def _traced(
    function: Callable, rows: tuple[str, ...], args: tuple, kwargs: dict
) -> Callable:
    arguments = args, kwargs
    flat = tf.nest.flatten(arguments)
    # Tensors are left out: the graph would keep the tensors of the first call
    # alive.
    kept = [None if _is_tensor(item) else item for item in flat]
    places = [n for n, item in enumerate(flat) if _is_tensor(item)]
    structure = tf.nest.map_structure(lambda _: None, arguments)

    def traced(*tensors):
        filled = list(kept)
        for place, tensor in zip(places, tensors):
            filled[place] = tensor
        args, kwargs = tf.nest.pack_sequence_as(structure, filled)
        return function(*args, **kwargs)

    # TensorFlow counts traces per code object, but per object for a partial. So
    # it does not warn that each attack has a graph of its own.
    graph = tf.function(
        functools.partial(traced), reduce_retracing=True, autograph=False
    )
    if rows:
        names = [*inspect.signature(function).parameters][: len(args)]
        relaxed = tf.nest.flatten(
            (
                [_specs(arg, name in rows) for name, arg in zip(names, args)],
                {name: _specs(kwargs[name], name in rows) for name in kwargs},
            )
        )
        graph.get_concrete_function(*[relaxed[place] for place in places])
    return graph


def _specs(argument: Any, by_row: bool) -> Any:
    """The shapes that an argument's tensors may have in one graph."""

    def spec(item: Any) -> tf.TensorSpec | None:
        if not _is_tensor(item):
            return None
        shape = [None, *item.shape[1:]] if by_row else item.shape
        return tf.TensorSpec(shape, item.dtype)

    return tf.nest.map_structure(spec, argument)


def _is_tensor(item: Any) -> bool:
    return tf.is_tensor(item) or hasattr(item, "__array__")
