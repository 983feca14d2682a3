"""The image space: x + delta."""

from __future__ import annotations

import dataclasses
from typing import Any

import tensorflow as tf

from ijsat_tf import checks
from ijsat_tf.spaces.balls import Ball, Linf
from ijsat_tf.spaces.space import Space
from ijsat_tf.types import Tensors, value


@value
class Pixels(Space):
    """The images x + delta with delta in a ball (Eq. 1).

    Used alone, the space projects delta so that x + delta stays in [0, 1].
    After another space in a `Joint`, the search clips the images instead.

    Args:
        ball: Ball of delta, for pixels in [0, 1].

    Raises:
        ValueError: for another ball.
    """

    ball: Ball

    def __post_init__(self):
        super().__post_init__()
        checks.require(
            isinstance(self.ball, Ball),
            "`ball` must be a ball such as Linf(8 / 255).",
            repr(self.ball),
        )
        if isinstance(self.ball, Linf) and _is_above_one(self.ball.radius):
            checks.warn(
                f"The radius {self.ball.radius:g} of {self!r} is above 1, "
                "and pixels are in [0, 1], so the ball holds every image. "
                "Write eight grey levels as 8 / 255."
            )

    @property
    def radii(self) -> dict[str, float]:
        return {self.name: self.ball.radius}

    def with_steps(self, steps: int) -> Pixels:
        return dataclasses.replace(self, ball=self.ball.with_step(steps))

    def prepare(self, images: tf.Tensor, latents: Tensors | None) -> Any:
        return tf.zeros_like(images)

    def start(self, context: Any, seed: tf.Tensor | None) -> tf.Tensor:
        return context if seed is None else self.ball.start(context, seed)

    def apply(
        self, images: tf.Tensor, change: tf.Tensor, context: Any
    ) -> tf.Tensor:
        return images + change

    def update(
        self,
        change: tf.Tensor,
        gradient: tf.Tensor,
        images: tf.Tensor | None,
        iteration: tf.Tensor,
    ) -> tf.Tensor:
        if images is None:
            return self.ball.project(self.ball.ascend(change, gradient))
        return self.ball.ascend_within(change, gradient, images)

    def measure(self, change: tf.Tensor) -> dict[str, tf.Tensor]:
        return {self.name: self.ball.norm(change)}


def _is_above_one(radius: float | tf.Tensor) -> bool:
    return not tf.is_tensor(radius) and radius > 1


def as_space(space: Space | Ball) -> Space:
    """Returns a space unchanged, and a ball as `Pixels(ball)`.

    Args:
        space: Space, or ball of the pixels.

    Returns:
        A space.

    Raises:
        ValueError: for anything else.
    """
    if isinstance(space, Ball):
        return Pixels(space)
    checks.require(
        isinstance(space, Space),
        "`space` must be a space, or a ball such as Linf(8 / 255).",
        repr(space),
    )
    return space
