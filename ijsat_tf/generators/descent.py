"""Gradient descent on the latents of a batch, separately for each sample."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from ijsat_tf.generators.adam import adam
from ijsat_tf.rows import each
from ijsat_tf.types import Tensors

# A function from latents to one number per sample, (B,).
Objective = Callable[[Tensors], tf.Tensor]


def minimised(
    objective: Objective,
    start: Tensors,
    steps: int,
    learning_rate: float,
) -> Tensors:
    """Returns the best latents of each sample in a run of Adam from `start`.

    The objective is summed over samples. Adam's step of a number depends on
    the gradients of that number alone, so the samples do not influence each
    other. `start` itself may be the best.

    Args:
        objective: Function to minimise, from latents to one number per sample,
            (B,).
        start: Latents to start from, (B, D...) or a list of such tensors.
        steps: Number of steps of Adam.
        learning_rate: Learning rate of Adam.

    Source: Kingma and Ba, Adam: A Method for Stochastic Optimization, 2015.
    """

    each = tf.nest.map_structure

    def update(
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
        moved, m, v = adam(gradient, m, v, step)
        z = each(lambda z, move: z - learning_rate * move, z, moved)
        return step + 1, z, m, v, least, best

    still = each(tf.zeros_like, start)
    _, last, _, _, least, best = tf.while_loop(
        lambda step, *_: step < steps,
        update,
        (0, start, still, still, objective(start), start),
        parallel_iterations=1,
        maximum_iterations=steps,
    )
    return better(objective(last), last, least, best)[1]


def better(
    found: tf.Tensor, latents: Tensors, least: tf.Tensor, best: Tensors
) -> tuple[tf.Tensor, Tensors]:
    """Per sample, the smaller objective and its latents."""

    wins = found < least
    return tf.nest.map_structure(
        lambda one, other: tf.where(each(wins, one), one, other),
        (found, latents),
        (least, best),
    )
