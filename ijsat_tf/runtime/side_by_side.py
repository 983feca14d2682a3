"""Parts of a batch that run in parallel, one part per replica or per core."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from ijsat_tf import seeds


def side_by_side(
    function: Callable[..., Any], rows: Any, split: bool = True
) -> Any:
    """Runs `function(*rows)` on parts of the rows, in parallel.

    In the scope of a strategy (`tf.distribute`) each replica runs the whole
    function on a part of the batch. Replicas exchange only their results, so
    that each has all of them.

    On a CPU each core runs the whole function on a part of the batch, if
    TensorFlow runs each operation on one core
    (`ijsat_tf.one_core_per_operation()`). An attack is
    ten thousand small operations. Cores that share each operation wait for
    each other ten thousand times: on two cores JSA-10 takes 1.3 times as long.

    The parts draw the same random numbers as the whole batch would (`seeds`).

    Args:
        function: Function of tensors, batch first, whose outputs have one row
            for each row of the inputs.
        rows: Tuple of nests of tensors, batch first, or None.
        split: Whether the batch may be split, default True; False if a row's
            result depends on the other rows.

    Returns:
        The result of `function(*rows)`.
    """
    strategy = tf.distribute.get_strategy()
    spread = split and _shares(strategy)
    count = strategy.num_replicas_in_sync if spread else _cores()
    count = count if split else 1
    flat = tf.nest.flatten(rows)
    tensors = [item for item in flat if item is not None]

    # Traced once, and not inlined into the outer graph at each call. The
    # unknown number of rows inside also keeps TensorFlow's memory optimizer
    # from putting temporary variables into loops, where they clash.
    @tf.function(autograph=False, experimental_attributes={"_noinline": True})
    def part(first: tf.Tensor, total: tf.Tensor, *tensors: tf.Tensor) -> Any:
        left = iter(tensors)
        filled = [None if item is None else next(left) for item in flat]
        own = tf.nest.pack_sequence_as(rows, filled)
        with seeds.rows_of(first, total):
            if spread and _cores() > 1:
                return side_by_side(function, own)
            return function(*own)

    def called(first: tf.Tensor, *tensors: tf.Tensor) -> Any:
        graph = part.get_concrete_function(
            *[tf.TensorSpec([], tf.int32)] * 2,
            *[tf.TensorSpec([None, *t.shape[1:]], t.dtype) for t in tensors],
        )
        return graph(first, whole, *tensors)

    total = tf.shape(tensors[0])[0]
    place, whole = seeds.place(total)
    if count == 1:
        return called(place, *tensors)
    # Parts are of equal size, which collectives need, and no part is empty,
    # since convolutions take one row at least. If the rows do not suffice, the
    # last parts repeat rows of their neighbours.
    size = -(-total // count)

    def first_of(number: tf.Tensor | int) -> tf.Tensor:
        return tf.minimum(number * size, total - size)

    def numbered(number: tf.Tensor | int) -> Any:
        first = first_of(number)
        own = [tensor[first : first + size] for tensor in tensors]
        return called(place + first, *own)

    if spread:
        joined = _of_replicas(strategy, numbered)
    else:
        joined = tf.nest.map_structure(
            lambda *own: tf.concat(own, 0), *map(numbered, range(count))
        )
    row = tf.range(total)
    owner = row // tf.maximum(size, 1)
    once = owner * size + row - first_of(owner)
    return tf.nest.map_structure(lambda rows: tf.gather(rows, once), joined)


def _shares(strategy: tf.distribute.Strategy) -> bool:
    """Whether there are several replicas, and none of them runs yet."""
    several = strategy.num_replicas_in_sync > 1
    return several and tf.distribute.in_cross_replica_context()


def _of_replicas(
    strategy: tf.distribute.Strategy, numbered: Callable[[tf.Tensor], Any]
) -> Any:
    """The rows of all replicas, in the order of the replicas."""

    def run() -> Any:
        context = tf.distribute.get_replica_context()
        return numbered(tf.cast(context.replica_id_in_sync_group, tf.int32))

    def joined(values: Any) -> tf.Tensor:
        kind = strategy.experimental_local_results(values)[0].dtype
        if kind == tf.bool:
            # No collective takes bools.
            values = strategy.run(tf.cast, (values, tf.int32))
        return tf.cast(strategy.gather(values, axis=0), kind)

    return tf.nest.map_structure(joined, strategy.run(run))


def _cores() -> int:
    """Cores per replica of this process, or 1 where more cores do not help."""
    threading = tf.config.threading
    if (
        threading.get_intra_op_parallelism_threads() != 1
        or tf.config.list_physical_devices("GPU")
    ):
        return 1
    cores = threading.get_inter_op_parallelism_threads() or os.cpu_count() or 1
    strategy = tf.distribute.get_strategy()
    if strategy.num_replicas_in_sync == 1:
        return cores
    return max(1, cores // len(strategy.extended.worker_devices))
