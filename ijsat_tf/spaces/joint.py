"""Several spaces, each applied to the images of the previous space."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ijsat_tf import checks, seeds
from ijsat_tf.spaces.pixels import as_space
from ijsat_tf.spaces.space import Space
from ijsat_tf.types import Tensors, restored, value


@value
class Joint(Space):
    """Several spaces, applied from left to right (Eq. 7).

    `Joint(Latent(G, eta), Pixels(eps))` is the Joint Space Threat Model,
    G(G^-1(x) + lambda) + delta. All changes are updated together, along the
    gradients of one backward pass.

    Args:
        *spaces: Spaces, one or more; a ball stands for `Pixels(ball)`. A
            `Latent`, which makes new images, must come first.

    Raises:
        ValueError: for a `Latent` that is not the first, or no spaces.
    """

    spaces: tuple[Space, ...]

    def __init__(self, *spaces: Space):
        spaces = tuple(as_space(space) for space in spaces)
        checks.require(
            spaces,
            "`spaces` of Joint must be at least one space, such as "
            "Pixels(Linf(8 / 255)).",
        )
        checks.require(
            not any(space.replaces_images for space in spaces[1:]),
            "A `Latent` must come first in a `Joint`, because the images that "
            "a generator decodes would replace earlier changes; move the "
            "`Latent` to the front.",
            spaces,
        )
        object.__setattr__(self, "spaces", spaces)

    def __repr__(self) -> str:
        return f"Joint({', '.join(map(repr, self.spaces))})"

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Joint:
        return cls(*restored(config["spaces"]))

    @property
    def radii(self) -> dict[str, float]:
        return self._named([space.radii for space in self.spaces])

    def with_steps(self, steps: int) -> Joint:
        return Joint(*(space.with_steps(steps) for space in self.spaces))

    @property
    def replaces_images(self) -> bool:
        return self.spaces[0].replaces_images

    @property
    def by_sample(self) -> bool:
        return all(space.by_sample for space in self.spaces)

    def prepare(self, images: tf.Tensor, latents: Tensors | None) -> list[Any]:
        return [space.prepare(images, latents) for space in self.spaces]

    def start(
        self, context: list[Any], seed: tf.Tensor | None
    ) -> list[Tensors]:
        own = [
            None if seed is None else seeds.derive(seed, place)
            for place in range(len(self.spaces))
        ]
        return [
            space.start(part, draw)
            for space, part, draw in zip(self.spaces, context, own)
        ]

    def apply(
        self, images: tf.Tensor, change: list[Tensors], context: list[Any]
    ) -> tf.Tensor:
        for space, moved, part in zip(self.spaces, change, context):
            made = space.apply(images, moved, part)
            # A generator may not know the shape of its images.
            images = tf.ensure_shape(made, images.shape)
        return images

    def update(
        self,
        change: list[Tensors],
        gradient: list[Tensors],
        images: tf.Tensor | None,
        iteration: tf.Tensor,
    ) -> list[Tensors]:
        return [
            space.update(part, slope, None, iteration)
            for space, part, slope in zip(self.spaces, change, gradient)
        ]

    def measure(self, change: list[Tensors]) -> dict[str, tf.Tensor]:
        return self._named(
            [space.measure(part) for space, part in zip(self.spaces, change)]
        )

    def _named(self, parts: list[dict[str, Any]]) -> dict[str, Any]:
        """Merges dicts; a number is added to a name that appears again."""
        found: dict[str, Any] = {}
        for part in parts:
            for name, number in part.items():
                again = name in found
                found[f"{name}{len(found) + 1}" if again else name] = number
        return found
