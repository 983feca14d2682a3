"""The latent space of a generator, searched by Adam."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from ijsat_tf import checks
from ijsat_tf.generators.adam import adam
from ijsat_tf.spaces.balls import Linf
from ijsat_tf.spaces.latent import Latent, LatentContext
from ijsat_tf.types import Tensors, value


class AdamChange(NamedTuple):
    """The change lambda, with the state of Adam.

    Each attribute is a tensor, or a list of tensors.

    Attributes:
        moved: Change lambda.
        mean: Decaying mean of the gradients.
        square: Decaying mean of the squared gradients.
        low: Lower bound of lambda.
        high: Upper bound of lambda.
    """

    moved: Tensors
    mean: Tensors
    square: Tensors
    low: Tensors
    high: Tensors


@value
class AdamLatent(Latent):
    """The images G(z + lambda), with lambda moved by Adam within two bounds.

    lambda <- clip(lambda + step * mean / (sqrt(square) + 1e-8))

    The bounds are |lambda| <= radius and |z + lambda| <= bound, for each
    coordinate. Here mean and square are the unbiased decaying means of the
    gradients and of their squares, with decay factors of 0.9 and 0.999. Where
    z is outside the bound, the radius still holds.

    Args:
        generator: Network with `decode` and possibly `encode`, see `Latent`.
        ball: Ball of lambda, `Linf(radius, step)`, whose step is Adam's
            learning rate. The source has a radius of 0.3 or 0.1, and a step
            of 0.005.
        levels: Numbers of the levels that may change, see `Latent`; None, the
            default, stands for all levels.
        standardized: Whether lambda is measured in standard deviations of the
            priors, see `Latent`; default False.
        bound: Bound of each coordinate of z + lambda, default 2; None stands
            for no bound.

    Raises:
        ValueError: for another ball, or a negative bound.

    Source: Stutz, Hein and Schiele, Disentangling Adversarial Robustness and
    Generalization, 2019, where the bound is that of the training images'
    latents.
    """

    bound: float | None = 2.0

    def __post_init__(self):
        super().__post_init__()
        checks.require(
            isinstance(self.ball, Linf),
            "`ball` must be Linf(radius, step), which bounds each coordinate.",
            repr(self.ball),
        )
        if self.bound is not None:
            checks.not_negative("bound", self.bound)

    @property
    def name(self) -> str:
        return "latent"

    def start(
        self, context: LatentContext, seed: tf.Tensor | None
    ) -> AdamChange:
        latents = self._movable(context.latents)
        bound = float("inf") if self.bound is None else self.bound

        def limit(side: float) -> Tensors:
            return self.ball.project(
                tf.nest.map_structure(
                    lambda latent: side * bound - latent, latents
                )
            )

        low, high = limit(-1.0), limit(1.0)
        zeros = tf.nest.map_structure(tf.zeros_like, latents)
        moved = super().start(context, seed)
        return AdamChange(_clip(moved, low, high), zeros, zeros, low, high)

    def apply(
        self, images: tf.Tensor, change: AdamChange, context: LatentContext
    ) -> tf.Tensor:
        return super().apply(images, change.moved, context)

    def update(
        self,
        change: AdamChange,
        gradient: AdamChange,
        images: tf.Tensor | None,
        iteration: tf.Tensor,
    ) -> AdamChange:
        steps, mean, square = adam(
            gradient.moved, change.mean, change.square, iteration
        )

        def moved(part: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
            return part + tf.cast(self.ball.step, part.dtype) * step

        point = tf.nest.map_structure(moved, change.moved, steps)
        return change._replace(
            moved=_clip(point, change.low, change.high),
            mean=mean,
            square=square,
        )

    def measure(self, change: AdamChange) -> dict[str, tf.Tensor]:
        return super().measure(change.moved)


def _clip(change: Tensors, low: Tensors, high: Tensors) -> Tensors:
    return tf.nest.map_structure(tf.clip_by_value, change, low, high)
