"""Smooth fields: their total variation, and steps worked out in NumPy."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.spaces.field import Field, FieldChange, total_variation

BUDGET, SMOOTHNESS = 0.1, 0.02


def random_field(shape, scale=1.0, seed=0):
    return scale * np.random.default_rng(seed).normal(size=shape)


def variation(field):
    """Each point of a grid with each of its neighbours, one by one."""
    total = 0.0
    sides = field.shape[:-1]
    for point in itertools.product(*map(range, sides)):
        for axis, way in itertools.product(range(len(sides)), (1, -1)):
            near = list(point)
            near[axis] += way
            if 0 <= near[axis] < sides[axis]:
                gap = field[point] - field[tuple(near)]
                total += np.sqrt(np.sum(gap**2) + 1e-10)
    return total


@pytest.mark.parametrize("shape", [(2, 4, 5, 2), (2, 3, 2, 4, 3), (2, 6, 1)])
def test_the_total_variation_counts_each_neighbour_from_both_sides(shape):
    field = random_field(shape)
    found = total_variation(tf.constant(field))
    np.testing.assert_allclose(found, [variation(each) for each in field])


def test_steps_are_adam_s_along_the_loss_and_the_smoothness():
    space = Field(BUDGET, step=0.03, smoothness=SMOOTHNESS)
    still = np.zeros((1, 3, 2, 2))
    change = space.start(tf.constant(still), None)
    field, mean, square = still[0], 0.0, 0.0
    for count in range(1, 5):
        loss = random_field(still.shape, 0.3, seed=count)
        slope = np.empty_like(field)
        for place in np.ndindex(*field.shape):
            delta = np.zeros_like(field)
            delta[place] = 1e-7
            rise = variation(field + delta) - variation(field - delta)
            slope[place] = loss[0][place] - SMOOTHNESS / BUDGET * rise / 2e-7
        mean = 0.9 * mean + 0.1 * slope
        square = 0.999 * square + 0.001 * slope**2
        size = np.sqrt(square / (1 - 0.999**count)) + 1e-8
        field = field + 0.03 * mean / (1 - 0.9**count) / size
        field = np.clip(field, -BUDGET, BUDGET)
        gradient = FieldChange(tf.constant(loss), still, still)
        change = space.update(change, gradient, None, tf.constant(count - 1))
        np.testing.assert_allclose(change.field[0], field, atol=1e-5)
    np.testing.assert_allclose(
        space.measure(change)["field"], np.abs(field).max(), rtol=1e-3
    )


def test_starts_and_many_steps_keep_the_budget():
    still = tf.zeros([2, 4, 4, 2])
    space = Field(BUDGET, smoothness=SMOOTHNESS).with_steps(25)
    assert space.step == pytest.approx(BUDGET / 5)
    change = space.start(still, tf.constant([0, 1]))
    assert 0.8 * BUDGET < np.abs(change.field).max() <= BUDGET
    slope = tf.constant(random_field(still.shape), tf.float32)
    for iteration in range(25):
        gradient = FieldChange(slope, still, still)
        change = space.update(change, gradient, None, tf.constant(iteration))
    used = space.measure(change)["field"]
    np.testing.assert_allclose(used, BUDGET, rtol=1e-6)


def test_smoothness_lowers_the_total_variation_down_to_none():
    still = tf.zeros([1, 5, 5, 2])
    slope = tf.constant(random_field(still.shape), tf.float32)
    gradient = FieldChange(slope, still, still)
    found = []
    for smoothness in (0.0, 0.02, 10.0):
        space = Field(BUDGET, step=0.002, smoothness=smoothness)
        update = tf.function(space.update, autograph=False)
        change = space.start(still, tf.constant([0, 1]))
        for iteration in range(100):
            change = update(change, gradient, None, tf.constant(iteration))
        found.append(float(total_variation(change.field)[0]))
    assert found == sorted(found, reverse=True)
    assert found[-1] < 0.05 * found[0]


def test_no_budget_permits_no_change():
    still = tf.zeros([1, 3, 3, 2])
    space = Field(0.0, smoothness=1.0).with_steps(4)
    gradient = FieldChange(still + 1, still, still)
    change = space.update(
        space.start(still, tf.constant([0, 1])), gradient, None, tf.constant(0)
    )
    np.testing.assert_array_equal(change.field, still)


def test_a_smoothness_that_is_no_weight_is_refused():
    for smoothness in (-1.0, np.nan, "1"):
        with pytest.raises(ValueError, match="`smoothness` must be"):
            Field(0.1, smoothness=smoothness)
