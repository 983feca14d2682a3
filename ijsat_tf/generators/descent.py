"""Descent on the latents of a batch, for each sample separately."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from ijsat_tf.types import Tensors

# A function from latents to one number per sample, (B,).
Objective = Callable[[Tensors], tf.Tensor]

_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-8


def minimised(
    objective: Objective,
    start: Tensors,
    steps: int,
    learning_rate: float,
) -> Tensors:
    """Returns each sample's best iterate of Adam, `start` included.

    The objective is summed over samples. As Adam treats each number by its own
    gradients, a sample moves as if it were alone in the batch.

    Args:
        objective: Function to minimise, from latents to one number per sample,
            (B,).
        start: Latents to start from, (B, D...) or a list of such tensors.
        steps: Number of steps of Adam.
        learning_rate: Learning rate of Adam.

    Source: Kingma and Ba, Adam: A Method for Stochastic Optimization, 2015.
    """

    each = tf.nest.map_structure

    def adam(
        step: tf.Tensor,
        z: Tensors,
        m: Tensors,
        v: Tensors,
        least: tf.Tensor,
        best: Tensors,
    ) -> tuple[Tensors, ...]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(z)
            found = objective(z)
            total = tf.reduce_sum(found)
        least, best = better(found, z, least, best)
        gradient = tape.gradient(total, z)
        m = each(lambda m, g: _BETA1 * m + (1 - _BETA1) * g, m, gradient)
        v = each(lambda v, g: _BETA2 * v + (1 - _BETA2) * g**2, v, gradient)
        time = tf.cast(step + 1, tf.float32)
        rate = learning_rate / (1 - _BETA1**time)
        root = tf.sqrt(1 - _BETA2**time)
        z = each(
            lambda z, m, v: z - rate * m / (tf.sqrt(v) / root + _EPSILON),
            *(z, m, v),
        )
        return step + 1, z, m, v, least, best

    still = each(tf.zeros_like, start)
    _, last, _, _, least, best = tf.while_loop(
        lambda step, *_: step < steps,
        adam,
        (0, start, still, still, objective(start), start),
        parallel_iterations=1,
        maximum_iterations=steps,
    )
    return better(objective(last), last, least, best)[1]


def better(
    found: tf.Tensor, latents: Tensors, least: tf.Tensor, best: Tensors
) -> tuple[tf.Tensor, Tensors]:
    """Per sample, the smaller objective and the latents it belongs to."""

    def chosen(one: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
        shape = [-1] + [1] * (one.shape.rank - 1)
        return tf.where(tf.reshape(found < least, shape), one, other)

    return tf.nest.map_structure(chosen, (found, latents), (least, best))
