"""Cached graphs: when they are traced, and when they are not."""

import gc
import weakref

import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.runtime import compiled
from tests import commands


def _counted():
    traces = []

    @compiled.compiled
    def scaled(items, factor=1.0, seed=0, offset=None):
        """Scales."""
        traces.append(items.shape.as_list())
        result = items * factor
        return result if offset is None else result + offset.value

    return scaled, traces


class Offset:
    def __init__(self, value):
        self.value = value


def test_a_compiled_function_gives_what_the_function_gives():
    scaled, _ = _counted()
    items = np.arange(6, dtype="float32").reshape(2, 3)
    np.testing.assert_array_equal(
        scaled(items, factor=tf.constant(3.0)), items * 3
    )
    assert (scaled.__name__, scaled.__doc__) == ("scaled", "Scales.")


def test_new_tensors_need_no_new_graph():
    scaled, traces = _counted()
    for number in range(4):
        scaled(
            tf.fill([2, 3], float(number)),
            tf.constant(number + 1.0),
            tf.constant(number),
        )
    assert len(traces) == 1


def test_batch_sizes_need_one_relaxed_graph():
    scaled, traces = _counted()
    for rows in (2, 3, 4, 5, 2, 7):
        assert scaled(tf.ones([rows, 3])).shape == (rows, 3)
    assert traces == [[2, 3], [None, 3]]


def test_rows_need_one_graph():
    traces = []

    @compiled.compiled(rows=("items", "more"))
    def total(items, offset, seed, more=None):
        traces.append(
            [each.shape.as_list() for each in (items, seed, more["a"])]
        )
        return items + more["a"] + offset + tf.cast(seed[0], items.dtype)

    for rows in (2, 3, 1):
        items = tf.ones([rows, 3])
        found = total(items, 2.0, tf.constant([1, 0]), more={"a": items})
        np.testing.assert_array_equal(found, np.full([rows, 3], 5))
    assert traces == [[[None, 3], [2], [None, 3]]]
    assert total.tracing_count() == 1


def test_ranks_need_graphs_of_their_own():
    scaled, traces = _counted()
    for shape in ([2], [2, 3], [4], [4, 3], [5], [5, 3]):
        assert scaled(tf.ones(shape)).shape == shape
    assert traces == [[2], [2, 3], [None], [None, 3]]


def test_python_objects_select_the_graph():
    scaled, traces = _counted()
    first, second = Offset(1.0), Offset(2.0)
    for offset in (first, second, first, second):
        got = scaled(tf.zeros([2]), offset=offset)
        np.testing.assert_array_equal(got, [offset.value] * 2)
    assert len(traces) == 2


def test_inside_a_graph_the_operations_are_added_to_it():
    scaled, traces = _counted()
    graphs = []

    @tf.function
    def outer(items):
        result = scaled(items, 2.0)
        graphs.append(result.graph is items.graph)
        return result

    np.testing.assert_array_equal(outer(tf.ones([2])), [2, 2])
    assert graphs == [True]
    assert scaled.tracing_count() == 0
    assert len(traces) == 1


def test_a_compiled_method_is_bound_to_its_object():
    class Doubler:
        factor = 2.0

        @compiled.compiled
        def double(self, items):
            return items * self.factor

    class Tripler(Doubler):
        factor = 3.0

    np.testing.assert_array_equal(Doubler().double(tf.ones([2])), [2, 2])
    np.testing.assert_array_equal(Tripler().double(tf.ones([2])), [3, 3])


def test_gradients_pass_through():
    scaled, _ = _counted()
    items = tf.ones([2])
    with tf.GradientTape() as tape:
        tape.watch(items)
        result = scaled(items, 5.0)
    np.testing.assert_array_equal(tape.gradient(result, items), [5, 5])


def test_other_errors_stay_what_they_are():
    @compiled.compiled
    def fails(items):
        return tf.debugging.check_numerics(items, "not ours")

    with pytest.raises(tf.errors.InvalidArgumentError, match="not ours"):
        fails(tf.constant([np.nan]))


def _many_graphs():
    times = compiled.compiled(lambda number, x: number * x)
    for number in range(30):
        assert int(times(number, tf.constant(2))) == 2 * number
    assert times.tracing_count() == 30


def test_many_graphs_are_nothing_to_warn_of():
    # TensorFlow warns a few times a process, and others may have used these.
    outcome = commands.call(_many_graphs)
    assert outcome.code == 0, outcome.output
    assert "retracing" not in outcome.output


def test_what_only_dropped_graphs_held_is_freed(monkeypatch):
    monkeypatch.setattr(compiled, "_GRAPHS", 2)
    monkeypatch.setattr(compiled, "_WAITING", 2)

    @compiled.compiled
    def plus(items, offset):
        return items + offset.value

    offsets = [Offset(float(number)) for number in range(4)]
    alive = [weakref.ref(offset) for offset in offsets]
    gc.disable()
    try:
        while offsets:
            plus(tf.ones(2), offset=offsets.pop(0))
    finally:
        gc.enable()
    assert [offset() is not None for offset in alive] == [0, 0, 1, 1]
