"""Budgets and steps of transforms against numbers worked out by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.spaces.transform import (
    Pattern,
    Transform,
    Unforeseen,
    image_shape,
)


@pytest.mark.parametrize("steps, step", [(1, 3.0), (9, 1.0), (36, 0.5)])
def test_the_step_is_the_budget_over_the_root_of_the_steps(steps, step):
    space = Unforeseen(3.0, reference=True)
    assert space.with_steps(steps) == Unforeseen(3.0, step, reference=True)
    assert space.step is None
    for given in (0.0, 7.0):
        kept = Transform(3.0, step=given)
        assert kept.with_steps(steps) == kept


def test_a_pattern_s_step_does_not_depend_on_the_budget():
    for budget in (1.0, 128.0):
        assert round(Pattern(budget).with_steps(200).step, 6) == 0.002236


@pytest.mark.parametrize("several", [False, True])
def test_a_pattern_uses_all_of_its_budget(several):
    change = tf.zeros([3, 2, 2], tf.float64)
    used = Pattern(25.0).measure([change, change[0]] if several else change)
    assert list(used) == ["pattern"] and used["pattern"].dtype == tf.float64
    np.testing.assert_array_equal(used["pattern"], [25, 25, 25])
    assert Pattern(25.0).radii == {"pattern": 25.0}


def test_a_transform_is_a_value():
    space = Transform(np.float32(0.5), step=2)
    assert {space: 1}[Transform(0.5, 2.0)] == 1
    assert space != Transform(0.5)
    assert Unforeseen(0.5, 2.0) not in (space, Unforeseen(0.5, 2.0, True))
    assert repr(space) == "Transform(0.5, step=2.0)"
    assert repr(Pattern(1, reference=True)) == "Pattern(1.0, reference=True)"
    config = keras.saving.serialize_keras_object(space)
    assert keras.saving.deserialize_keras_object(config) == space


@pytest.mark.parametrize("number", [-0.1, np.nan, np.inf, "0.1", [0.1]])
def test_budgets_and_steps_that_are_no_lengths_are_refused(number):
    for kind in (Transform, Pattern):
        with pytest.raises(ValueError, match="`budget` must be a number"):
            kind(number)
        with pytest.raises(ValueError, match="`step` must be a number"):
            kind(0.1, step=number)
    with pytest.raises(ValueError, match="`budget` must be a number"):
        Transform(None)


@pytest.mark.parametrize(
    "shape",
    [(None, 8, 6, 3), (2, None, 6, 3), (2, 8, None, 3), (2, 8, 6, None)],
)
def test_only_the_number_of_images_may_be_unknown(shape):
    @tf.function(input_signature=[tf.TensorSpec(shape)])
    def sides(images):
        return tf.constant(image_shape(images))

    if shape[0] is None:
        np.testing.assert_array_equal(sides(tf.zeros([5, 8, 6, 3])), [8, 6, 3])
    else:
        with pytest.raises(ValueError, match="must be known when the graph"):
            sides(tf.zeros([2, 8, 6, 3]))
