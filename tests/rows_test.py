"""Rows of tensors against NumPy's indices and shapes."""

import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf import rows

RANDOM = np.random.default_rng(0)
SHAPES = [(5, 2, 3, 1), (5, 4), (5,)]
ONES = [RANDOM.normal(size=shape).astype("float32") for shape in SHAPES]
OTHERS = [RANDOM.normal(size=shape).astype("float32") for shape in SHAPES]


def tensors(arrays):
    return [tf.constant(array) for array in arrays]


def check(found, expected):
    assert isinstance(found, list)
    for part, array in zip(found, expected, strict=True):
        np.testing.assert_array_equal(part, array)


def test_a_number_for_each_sample_is_spread_over_it():
    numbers = np.arange(5.0, dtype="float32")
    for part in ONES:
        found = rows.each(tf.constant(numbers), tf.constant(part)) * part
        expected = np.stack([n * row for n, row in enumerate(part)])
        np.testing.assert_array_equal(found, expected)
    assert rows.each(tf.constant(numbers)).shape == (5, 1, 1, 1)


@pytest.mark.parametrize("which", [[1, 0, 0, 1, 1], [0] * 5, [1] * 5])
def test_rows_are_picked_from_the_one_or_the_other(which):
    found = rows.pick(tf.constant(which) > 0, tensors(ONES), tensors(OTHERS))
    expected = [
        [one[n] if chosen else other[n] for n, chosen in enumerate(which)]
        for one, other in zip(ONES, OTHERS)
    ]
    check(found, expected)


def test_what_is_not_picked_has_no_gradient():
    one, other = tf.constant(ONES[1]), tf.constant(OTHERS[1])
    which = tf.constant([True, False, True, False, False])
    with tf.GradientTape() as tape:
        tape.watch([one, other])
        # Infinite, but only where it is not picked.
        broken = one / tf.cast(which, one.dtype)[:, None]
        picked = tf.reduce_sum(rows.pick(which, broken, 3 * other))
    _, slope = tape.gradient(picked, [one, other])
    np.testing.assert_array_equal(slope[:, 0], [0, 3, 0, 3, 3])
    assert np.isfinite(picked)


@pytest.mark.parametrize("places", [[3, 0], [2, 2, 4, 1], []])
def test_rows_are_taken_by_their_places(places):
    found = rows.take(tensors(ONES), tf.constant(places, tf.int32))
    check(found, [part[np.array(places, int)] for part in ONES])


@pytest.mark.parametrize("places", [[3, 0], [4, 2, 1], []])
def test_rows_are_put_in_their_places(places):
    index = np.array(places, int)
    new = [part[: len(places)] for part in OTHERS]
    found = rows.put(tensors(ONES), tf.constant(places, tf.int32), tensors(new))
    expected = [part.copy() for part in ONES]
    for part, values in zip(expected, new):
        part[index] = values
    check(found, expected)


def test_a_tensor_alone_stays_alone():
    part, places = tf.constant(ONES[1]), tf.constant([1, 4])
    taken = rows.take(part, places)
    np.testing.assert_array_equal(taken, ONES[1][[1, 4]])
    put = rows.put(tf.zeros_like(part), places, taken)
    np.testing.assert_array_equal(
        put, ONES[1] * np.array([[0], [1], [0], [0], [1]])
    )


@pytest.mark.parametrize("count", [5, 0])
def test_parts_are_joined_to_vectors_and_parted_again(count):
    given = [part[:count] for part in ONES]
    vectors = rows.joined(tensors(given))
    expected = np.concatenate([part.reshape(5, -1) for part in ONES], axis=1)
    np.testing.assert_array_equal(vectors, expected[:count])
    check(rows.parted(vectors, tensors(given)), given)
    alone = tf.constant(given[0])
    np.testing.assert_array_equal(
        rows.parted(rows.joined(alone), alone), given[0]
    )


def test_parts_of_a_graph_may_have_unknown_sides():
    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 1])])
    def doubled(part):
        found = rows.parted(2 * rows.joined(part), part)
        assert found.shape == part.shape
        return found

    np.testing.assert_array_equal(doubled(ONES[0]), 2 * ONES[0])
