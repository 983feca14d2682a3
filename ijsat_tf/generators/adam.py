"""The steps of Adam, for searches in images and latents."""

from __future__ import annotations

import tensorflow as tf

from ijsat_tf.types import Tensors

_DECAY, _SQUARE_DECAY, _EPSILON = 0.9, 0.999, 1e-8


def adam(
    gradient: Tensors, mean: Tensors, square: Tensors, iteration: tf.Tensor
) -> tuple[Tensors, Tensors, Tensors]:
    """Returns Adam's step for a learning rate of 1, and the new state.

    mean <- 0.9 mean + 0.1 gradient
    square <- 0.999 square + 0.001 gradient^2
    step = mean / (1 - 0.9^t) / (sqrt(square / (1 - 0.999^t)) + 1e-8)

    Args:
        gradient: Gradient, a tensor or a nest of tensors.
        mean: Decaying mean of the gradients, zeros at first.
        square: Decaying mean of the squared gradients, zeros at first.
        iteration: Number t - 1 of the step, 0 for the first.

    Returns:
        The step, the mean and the square, each like `gradient`.

    Source: Kingma and Ba, Adam: A Method for Stochastic Optimization, 2015.
    """
    time = tf.cast(iteration + 1, tf.float32)
    scale, square_scale = 1 - _DECAY**time, 1 - _SQUARE_DECAY**time

    def decayed(old: tf.Tensor, new: tf.Tensor, decay: float) -> tf.Tensor:
        return decay * old + (1 - decay) * new

    def step(mean: tf.Tensor, square: tf.Tensor) -> tf.Tensor:
        mean /= tf.cast(scale, mean.dtype)
        square /= tf.cast(square_scale, square.dtype)
        return mean / (tf.sqrt(square) + _EPSILON)

    each = tf.nest.map_structure
    mean = each(lambda m, g: decayed(m, g, _DECAY), mean, gradient)
    square = each(
        lambda v, g: decayed(v, tf.square(g), _SQUARE_DECAY), square, gradient
    )
    return each(step, mean, square), mean, square
