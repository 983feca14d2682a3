"""What a space is: what may change in a sample, and how much."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ijsat_tf.types import Tensors, Value, value


@value
class Space(Value):
    """What may change and how much; attacks search in it.

    Subclasses give five small methods. `name` is the key of its budget in an
    attack's result.
    """

    @property
    def name(self) -> str:
        return type(self).__name__.lower()

    @property
    def replaces_images(self) -> bool:
        """Whether `apply` makes new images rather than changing given ones."""
        return False

    @property
    def by_sample(self) -> bool:
        """Whether a sample's image depends on its own change alone."""
        return True

    def with_steps(self, steps: int) -> Space:
        """This space with its step sizes resolved for a search of `steps`."""
        return self

    def prepare(self, images: tf.Tensor, latents: Tensors | None) -> Any:
        """What is constant for a batch.

        Args:
            images: (B, H, W, C) in [0, 1].
            latents: those that came with the images, or None.
        """
        raise NotImplementedError

    def start(self, context: Any, seed: tf.Tensor | None) -> Tensors:
        """The first change: random, or none at all when `seed` is None."""
        raise NotImplementedError

    def apply(
        self, images: tf.Tensor, change: Tensors, context: Any
    ) -> tf.Tensor:
        """The changed images (B, H, W, C), differentiable in `change`; they
        may leave [0, 1], where the search clips them."""
        raise NotImplementedError

    def update(
        self,
        change: Tensors,
        gradient: Tensors,
        images: tf.Tensor | None,
        iteration: tf.Tensor,
    ) -> Tensors:
        """Steepest ascent, then projection.

        Args:
            change: the present change.
            gradient: of the objective, as `change` is shaped.
            images: what `apply` changes, in [0, 1]; None inside a `Joint`,
                where it is not constant, and the search's clip comes last.
            iteration: 0 for the first update.
        """
        raise NotImplementedError

    def measure(self, change: Tensors) -> dict[str, tf.Tensor]:
        """The budget used, {name: (B,)}, in the unit of the radius."""
        raise NotImplementedError
