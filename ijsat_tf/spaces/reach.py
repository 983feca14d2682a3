"""The largest change that a space allows, without a classifier."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from ijsat_tf import checks, seeds
from ijsat_tf.runtime.compiled import compiled
from ijsat_tf.spaces.lifting import lifted, lowered
from ijsat_tf.spaces.pixels import as_space
from ijsat_tf.spaces.space import Space
from ijsat_tf.types import Seed, Tensor, Tensors


class Reach(NamedTuple):
    """Images at the border of a space.

    Attributes:
        random: Images (B, H, W, C) after steps along one random gradient; for
            an `Linf` ball the change has random signs.
        adversarial: Images (B, H, W, C) after a search for the largest change
            of the image.
    """

    random: tf.Tensor
    adversarial: tf.Tensor


def reach(
    space: Space, images: Tensor, steps: int = 20, seed: Seed = 0
) -> Reach:
    """Searches for the images farthest from given images in a space.

    For the space `Latent(G, ball)` the search maximises |G(z + lambda) - x|_2
    over lambda in the ball, by steepest ascent from random signs. No
    classifier is used, so that the radius of one flow can be compared with
    that of another.

    Args:
        space: Space to search, or a ball of pixels, e.g.
            `Latent(flow, Linf(0.02))`.
        images: Images (B, H, W, C) in [0, 1].
        steps: Number of updates, default 20.
        seed: Random seed of the signs, default 0.

    Returns:
        A `Reach`. Its images are not clipped, and are not finite where a
        generator overflows.

    Raises:
        ValueError: for images that are not floats in [0, 1], or no steps.
    """
    images = checks.images(images)
    steps = checks.iterations("steps", steps)
    space = as_space(space).with_steps(steps)
    # Without its numbers, the space has one graph for all radii.
    space, numbers = lifted(space)
    draw = seeds.derive(seed, "reach")
    return Reach(*_reach(space, numbers, images, steps, draw))


@compiled
def _reach(
    space: Space,
    numbers: tf.Tensor,
    images: tf.Tensor,
    steps: int,
    seed: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    space = lowered(space, tf.cast(numbers, images.dtype))
    context = space.prepare(images, None)
    still = space.start(context, None)
    flat = tf.nest.flatten(still)
    draws = [
        seeds.normal(part, seeds.derive(seed, number))
        for number, part in enumerate(flat)
    ]
    random = tf.nest.pack_sequence_as(still, draws)

    def moved(change: Tensors) -> tf.Tensor:
        return tf.ensure_shape(
            space.apply(images, change, context), images.shape
        )

    def away(iteration: tf.Tensor, change: Tensors) -> Tensors:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(change)
            loss = tf.reduce_sum(tf.square(moved(change) - images))
        gradient = tape.gradient(
            loss, change, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        return space.update(change, gradient, images, iteration)

    def walk(start: Tensors, update) -> Tensors:
        _, end = tf.while_loop(
            lambda iteration, _: iteration < steps,
            lambda iteration, change: (
                iteration + 1,
                update(iteration, change),
            ),
            (0, start),
            parallel_iterations=1,
            maximum_iterations=steps,
        )
        return end

    border = walk(
        still,
        lambda iteration, change: space.update(
            change, random, images, iteration
        ),
    )
    return moved(border), moved(walk(border, away))
