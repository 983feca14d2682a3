import keras
import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.runtime import loss_scale

optimizers = keras.optimizers


def wrapped(optimizer):
    """As Keras does: under "mixed_float16", by variable, or both."""
    by_variable = optimizers.MultiOptimizer(
        optimizers.OptimizerMap(optimizers.Adam(), {".*kernel": optimizer})
    )
    return [
        optimizers.LossScaleOptimizer(optimizer),
        by_variable,
        optimizers.LossScaleOptimizer(by_variable),
    ]


def test_every_optimizer_inside_is_found():
    inner = optimizers.SGD()
    for optimizer in [inner, *wrapped(inner)]:
        found = loss_scale.every(optimizer)
        assert found[0] is optimizer and any(each is inner for each in found)


@pytest.mark.parametrize(
    ("optimizer", "scale"),
    [
        (optimizers.SGD(), 1),
        (optimizers.SGD(loss_scale_factor=8.0), 8),
        (optimizers.LossScaleOptimizer(optimizers.SGD(), initial_scale=4), 4),
    ],
)
def test_gradients_are_times_the_loss_scale(optimizer, scale):
    weight = keras.Variable(3.0)
    with tf.GradientTape() as tape:
        loss = tf.square(weight)
    (found,) = loss_scale.gradients(optimizer, tape, loss, [weight])
    assert found == 6 * scale
    optimizer.build([weight])
    optimizer.learning_rate = 0.5
    optimizer.apply([found], [weight])
    assert weight.value == 0


def test_an_optimizer_is_built_once():
    optimizer = optimizers.LossScaleOptimizer(optimizers.SGD())
    weight = keras.Variable(3.0)
    loss_scale.build(optimizer, [weight])
    built = optimizer.variables
    loss_scale.build(optimizer, [weight])
    assert [*map(id, optimizer.variables)] == [*map(id, built)]


def overflown(optimizer, loss_of):
    weight = keras.Variable(0.0, name="weight")
    with tf.GradientTape() as tape:
        loss = loss_of(weight)
    return loss_scale.gradients(optimizer, tape, loss, [weight])


def test_what_is_not_finite():
    """Of a `LossScaleOptimizer` gradients may be so: it skips the step."""
    plain = optimizers.SGD(loss_scale_factor=2.0)
    dynamic = optimizers.LossScaleOptimizer(optimizers.SGD())
    assert np.isinf(overflown(dynamic, tf.sqrt)[0])
    with pytest.raises(ValueError, match="gradient of .*weight is not finite"):
        with loss_scale.checks.readable_errors():
            overflown(plain, tf.sqrt)
    with pytest.raises(ValueError, match="The loss is not finite"):
        with loss_scale.checks.readable_errors():
            overflown(dynamic, lambda weight: 1 / weight)
