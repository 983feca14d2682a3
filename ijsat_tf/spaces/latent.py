"""The latent space of a generator: G(z + lambda)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from ijsat_tf import checks
from ijsat_tf.spaces.balls import Ball
from ijsat_tf.spaces.space import Space
from ijsat_tf.types import Tensors, value


class LatentContext(NamedTuple):
    """Constants of a latent space for a batch.

    Attributes:
        latents: Latents z, a tensor or a list of tensors; tensors of integers
            are not changed.
        residual: Difference x - G(z), (B, H, W, C), where networks of low
            precision make G's inverse inexact; else 0.
        decode: Function G for this batch.
    """

    latents: Tensors
    residual: tf.Tensor
    decode: Callable[..., tf.Tensor]


@value
class Latent(Space):
    """The images G(z + lambda) with lambda in a ball (Eq. 2).

    The latents z are G^-1(x), or are given with the data.

    Args:
        generator: Network with `decode(latents)`, and with `encode(images)`
            unless latents are given with the data. If the network has
            `latent_shape` (for a tensor) or `latent_shapes` (for a list),
            given latents must have these shapes.
        ball: Ball of lambda, per coordinate of the latents.
        levels: Numbers of the levels that may change, from 1 as in the
            paper's Eq. 14; None, the default, stands for all levels.
        standardized: Whether lambda is measured in standard deviations of the
            flow's learned priors, which is another threat at the same radius;
            default False, for raw latents.

    Raises:
        ValueError: for a generator without `decode`, another ball, or levels
            that the flow does not have; when used, for latents of other
            shapes, or no latents and a generator without `encode`.
    """

    generator: Any
    ball: Ball
    levels: tuple[int, ...] | None = None
    standardized: bool = False

    def __post_init__(self):
        super().__post_init__()
        checks.require(
            hasattr(self.generator, "decode"),
            "A latent attack needs a generator with `decode(latents)`; give a "
            "flow such as ijsat_tf.flows.Glow.",
            repr(self.generator),
        )
        checks.require(
            isinstance(self.ball, Ball),
            "`latent` must be a ball such as Linf(0.02).",
            repr(self.ball),
        )
        if self.levels is None:
            return
        last = getattr(self.generator, "levels", None) or float("inf")
        checks.require(
            isinstance(self.levels, tuple)
            and self.levels
            and len(set(self.levels)) == len(self.levels)
            and all(
                isinstance(level, int) and 1 <= level <= last
                for level in self.levels
            ),
            f"`levels` must be numbers from 1 to {last}, each number once, "
            "such as [2]; None stands for all levels.",
            repr(self.levels),
        )

    @property
    def radii(self) -> dict[str, float]:
        return {self.name: self.ball.radius}

    def with_steps(self, steps: int) -> Latent:
        return dataclasses.replace(self, ball=self.ball.with_step(steps))

    @property
    def replaces_images(self) -> bool:
        return True

    def prepare(
        self, images: tf.Tensor, latents: Tensors | None
    ) -> LatentContext:
        # A flow computes terms that depend on its weights alone here, once,
        # and not at every iteration.
        prepared = getattr(self.generator, "prepared", None)
        generator = prepared() if prepared else self.generator
        decode = generator.decode
        if latents is not None:
            given = self._fitting(latents)
            return LatentContext(given, tf.zeros([], images.dtype), decode)
        checks.require(
            hasattr(self.generator, "encode"),
            "The generator has no `encode`, so latents must come with the "
            "images: give `latents`, or x = {'image': ..., 'latent': ...} in "
            "`fit` and `evaluate`. ijsat_tf.generators.project_dataset writes "
            "a data set with latents.",
            repr(self.generator),
        )
        latents = generator.encode(images, **self._options)
        residual = tf.zeros([], images.dtype)
        types = [
            getattr(self.generator, name, None)
            for name in ("compute_dtype", "variable_dtype")
        ]
        if types[0] != types[1]:
            # With the residual, a change of zero gives exactly x.
            decoded = decode(latents, **self._options)
            residual = images - tf.cast(decoded, images.dtype)
        return LatentContext(latents, residual, decode)

    def start(self, context: LatentContext, seed: tf.Tensor | None) -> Tensors:
        still = tf.nest.map_structure(
            tf.zeros_like, self._movable(context.latents)
        )
        return still if seed is None else self.ball.start(still, seed)

    def apply(
        self, images: tf.Tensor, change: Tensors, context: LatentContext
    ) -> tf.Tensor:
        moved = tf.nest.map_structure(
            tf.add, self._movable(context.latents), change
        )
        if isinstance(context.latents, list):
            everything = list(context.latents)
            for place, latent in zip(self._places(everything), moved):
                everything[place] = latent
            moved = everything
        decoded = context.decode(moved, **self._options)
        return tf.cast(decoded, images.dtype) + context.residual

    def update(
        self,
        change: Tensors,
        gradient: Tensors,
        images: tf.Tensor | None,
        iteration: tf.Tensor,
    ) -> Tensors:
        return self.ball.project(self.ball.ascend(change, gradient))

    def measure(self, change: Tensors) -> dict[str, tf.Tensor]:
        return {self.name: self.ball.norm(change)}

    @property
    def _options(self) -> dict[str, bool]:
        # A GAN's decoder need not accept this argument.
        return {"standardized": True} if self.standardized else {}

    def _movable(self, latents: Tensors) -> Tensors:
        if not isinstance(latents, list):
            return latents
        return [latents[place] for place in self._places(latents)]

    def _places(self, latents: list[tf.Tensor]) -> list[int]:
        """The indices of the latents that may change."""
        if self.levels is not None:
            return [level - 1 for level in self.levels]
        return [n for n, part in enumerate(latents) if part.dtype.is_floating]

    def _fitting(self, latents: Tensors) -> Tensors:
        """Checks that given latents have this generator's shapes."""
        if isinstance(latents, tuple):
            # A dataset can hold tuples, but generators take lists.
            latents = list(latents)
        one = getattr(self.generator, "latent_shape", None)
        expected = getattr(self.generator, "latent_shapes", one)
        several = expected is not one
        shapes = list(expected) if several else [expected]
        found = [part.shape[1:] for part in tf.nest.flatten(latents)]
        checks.require(
            expected is None
            or isinstance(latents, list) == several
            and len(shapes) == len(found)
            and all(map(tf.TensorShape.is_compatible_with, found, shapes)),
            "`latents` must have the shapes that the generator decodes, "
            f"{expected} without the batch axis. Pass latents of this "
            "generator; or, if it can encode images, leave the latents out, "
            "`source._replace(latents=None)`; or, if the images are "
            "augmented, use ijsat_tf.generators.Augmented(generator).",
            *map(tuple, found),
        )
        legal = self.levels is None or (
            isinstance(latents, list)
            and max(self.levels) <= len(latents)
            and all(latents[n].dtype.is_floating for n in self._places(latents))
        )
        checks.require(
            legal,
            "`levels` must be the numbers of float tensors in a list of "
            "latents; leave `levels` out where the latents are one tensor.",
            self.levels,
        )
        return latents
