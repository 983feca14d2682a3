"""A batch in parts, side by side on the cores of the processor."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from ijsat_tf import seeds


def side_by_side(
    function: Callable[..., Any], rows: Any, split: bool = True
) -> Any:
    """`function(*rows)`, of as many parts of the rows as there are cores.

    Where operations run on one core each
    (`tf.config.threading.set_intra_op_parallelism_threads(1)`), each core
    takes a part of the batch through the whole function. An attack is ten
    thousand small operations, and cores that share each of them wait for each
    other ten thousand times: on two cores JSA-10 takes 1.3 times as long.
    Random draws are those of the whole batch (`seeds`).

    Args:
        function: of tensors, batch first; its outputs have a row for each of
            theirs.
        rows: a tuple of nests of tensors, batch first, or None.
        split: False if a row's result depends on the others; default True.

    Returns:
        What `function(*rows)` returns.
    """
    count = _cores() if split else 1
    flat = tf.nest.flatten(rows)
    tensors = [item for item in flat if item is not None]

    # Traced once, and not made part of the graph around it at each call. That
    # the number of rows is unknown inside also keeps TensorFlow's memory
    # optimizer from putting temporary variables into loops, where they clash.
    @tf.function(autograph=False, experimental_attributes={"_noinline": True})
    def part(first: tf.Tensor, total: tf.Tensor, *tensors: tf.Tensor) -> Any:
        left = iter(tensors)
        filled = [None if item is None else next(left) for item in flat]
        with seeds.rows_of(first, total):
            return function(*tf.nest.pack_sequence_as(rows, filled))

    total = tf.shape(tensors[0])[0]
    called = part.get_concrete_function(
        *[tf.TensorSpec([], tf.int32)] * 2,
        *[tf.TensorSpec([None, *t.shape[1:]], t.dtype) for t in tensors],
    )

    if count == 1:
        return called(0, total, *tensors)
    bounds = total * tf.range(count + 1) // count
    # A part has one row at least, if it must a neighbour's: convolutions take
    # no fewer. An empty batch has empty parts.
    firsts = tf.minimum(bounds[:-1], total - 1)
    lasts = tf.maximum(bounds[1:], firsts + 1)
    parts = []
    for place in range(count):
        first, last = firsts[place], lasts[place]
        own = [tensor[first:last] for tensor in tensors]
        parts.append(called(first, total, *own))
    places = tf.ragged.range(firsts, lasts).values
    once = tf.searchsorted(places, tf.range(total))
    return tf.nest.map_structure(
        lambda *own: tf.gather(tf.concat(own, 0), once), *parts
    )


def _cores() -> int:
    """Cores that can take a part each, or 1 where that is no gain."""
    threading = tf.config.threading
    if (
        threading.get_intra_op_parallelism_threads() != 1
        or tf.config.list_physical_devices("GPU")
        or seeds.replicas() > 1
    ):
        return 1
    cores = threading.get_inter_op_parallelism_threads() or os.cpu_count() or 1
    return cores
