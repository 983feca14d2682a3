"""Optimizers that scale the loss, and optimizers that hold other optimizers.

Keras puts every optimizer into a `LossScaleOptimizer` under the policy
"mixed_float16".
"""

from __future__ import annotations

import keras
import tensorflow as tf

from ijsat_tf import checks


def every(
    optimizer: keras.optimizers.Optimizer,
) -> list[keras.optimizers.Optimizer]:
    """Lists an optimizer and all optimizers inside it.

    Args:
        optimizer: Any optimizer; `LossScaleOptimizer` and `MultiOptimizer` hold
            others.
    """
    inside = [*getattr(optimizer, "optimizers", [])]
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        inside.append(optimizer.inner_optimizer)
    return [optimizer, *(found for each in inside for found in every(each))]


def build(
    optimizer: keras.optimizers.Optimizer, variables: list[keras.Variable]
) -> None:
    """Builds an optimizer, unless it is built.

    A second `build` of a `LossScaleOptimizer` would add its variables again.

    Args:
        optimizer: Optimizer to build.
        variables: Variables that it will update.
    """
    if not optimizer.built:
        optimizer.build(variables)


def gradients(
    optimizer: keras.optimizers.Optimizer,
    tape: tf.GradientTape,
    loss: tf.Tensor,
    variables: list[keras.Variable],
) -> list[tf.Tensor]:
    """Gradients times the loss scale, as `optimizer.apply` takes them.

    Args:
        optimizer: Optimizer that will apply the gradients.
        tape: Tape that has seen the loss.
        loss: Scalar loss, without the scale.
        variables: Variables of the gradients.

    Raises:
        ValueError: for a gradient that is not finite; with an optimizer that
            skips steps whose gradients overflow, for a loss that is not finite.
    """
    skips = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    checked = [checks.finite(loss, "The loss")] if skips else []
    with tf.control_dependencies(checked):
        scale = optimizer.scale_loss(tf.ones_like(loss))
    found = tape.gradient(loss, variables, scale)
    if skips:
        return found
    return [
        checks.finite(gradient, f"The gradient of {variable.path}")
        for gradient, variable in zip(found, variables)
    ]
