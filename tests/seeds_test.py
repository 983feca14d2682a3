"""Draws against each other, over purposes, replicas and regimes."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from ijsat_tf import seeds
from tests import tiny


@pytest.fixture(scope="module")
def strategy():
    return tiny.two_replicas()


def test_purposes_and_their_order_give_distinct_seeds():
    purposes = ["noise", "mix", "craft", 0, 1, 12345]
    combinations = [
        (seed, *rest)
        for seed in (0, 1, -1)
        for count in (0, 1, 2)
        for rest in itertools.product(purposes, repeat=count)
    ]
    derived = {tuple(seeds.derive(*each).numpy()) for each in combinations}
    assert len(derived) == len(combinations)


def test_steps_give_distinct_seeds():
    derived = {tuple(seeds.derive(7, "t", t).numpy()) for t in range(500)}
    assert len(derived) == 500


def test_python_and_tensor_seeds_are_equal():
    expected = seeds.derive(5, "purpose", 3)
    assert (expected.shape, expected.dtype) == ((2,), tf.int32)
    for seed in (tf.constant(5), np.int64(5), tf.constant([5, 0])):
        got = seeds.derive(seed, "purpose", tf.constant(3, tf.int64))
        np.testing.assert_array_equal(got, expected)


def test_a_derived_seed_can_be_derived_from():
    once = seeds.derive(5, "run", "step")
    np.testing.assert_array_equal(
        seeds.derive(seeds.derive(5, "run"), "step"), once
    )


def test_a_graph_derives_what_eager_code_derives():
    @tf.function
    def derive(seed, step):
        return seeds.derive(seed, "purpose", step)

    np.testing.assert_array_equal(
        derive(tf.constant(5), tf.constant(3)), seeds.derive(5, "purpose", 3)
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_draws_follow_their_distributions(dtype):
    like = tf.zeros([50, 20, 10], dtype)
    seed = seeds.derive(0)
    for draw, distribution in (
        (seeds.uniform, stats.uniform(-1, 2)),
        (seeds.normal, stats.norm()),
    ):
        numbers = draw(like, seed)
        assert (numbers.dtype, numbers.shape) == (like.dtype, like.shape)
        flat = numbers.numpy().ravel()
        assert stats.kstest(flat, distribution.cdf).pvalue > 0.01
        np.testing.assert_array_equal(numbers, draw(like, seed))
        assert not np.array_equal(numbers, draw(like, seeds.derive(1)))


def test_uniform_numbers_stay_below_one():
    numbers = seeds.uniform(tf.zeros([1 << 16], "float32"), seeds.derive(0))
    assert -1 <= numbers.numpy().min() and numbers.numpy().max() < 1


def test_shapes_are_kept_where_the_batch_is_not_known():
    @tf.function(input_signature=[tf.TensorSpec([None, 3, 2])])
    def draw(like):
        numbers = seeds.uniform(like, seeds.derive(0))
        assert numbers.shape.as_list() == [None, 3, 2]
        return numbers

    expected = seeds.uniform(tf.zeros([4, 3, 2]), seeds.derive(0))
    np.testing.assert_array_equal(draw(tf.zeros([4, 3, 2])), expected)


@pytest.mark.parametrize("draw", [seeds.uniform, seeds.normal])
def test_two_replicas_draw_what_one_draws(strategy, draw):
    seed = seeds.derive(3, "purpose")

    @tf.function
    def both():
        return strategy.run(lambda: draw(tf.zeros([3, 2]), seed))

    rows = np.concatenate(
        [part.numpy() for part in strategy.experimental_local_results(both())]
    )
    np.testing.assert_array_equal(rows, draw(tf.zeros([6, 2]), seed))


def test_replicas_are_those_of_the_step(strategy):
    assert seeds.replicas() == 1
    counts = strategy.run(lambda: tf.constant(seeds.replicas()))
    assert [
        int(count) for count in strategy.experimental_local_results(counts)
    ] == [2, 2]
    with strategy.scope():
        assert seeds.replicas() == 1


@pytest.mark.parametrize("seed", [None, 0.7, "0", 2**32, np.int64(2**32)])
def test_what_is_no_integer_of_32_bits_is_refused(seed):
    with pytest.raises(ValueError, match="`seed` must be an integer of 32"):
        seeds.derive(seed)


def test_integers_of_numpy_are_seeds():
    np.testing.assert_array_equal(seeds.derive(np.int64(7)), seeds.derive(7))
