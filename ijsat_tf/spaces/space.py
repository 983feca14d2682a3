"""The base class of spaces, which bound the changes of a sample."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ijsat_tf.types import Tensors, Value, value


@value
class Space(Value):
    """A set of changes in which attacks search.

    Subclasses define five small methods: `prepare`, `start`, `apply`, `update`
    and `measure`. `name` is the key of the space's budget in an attack's
    result.
    """

    @property
    def name(self) -> str:
        return type(self).__name__.lower()

    @property
    def replaces_images(self) -> bool:
        """Whether `apply` makes new images rather than changes given images."""
        return False

    @property
    def by_sample(self) -> bool:
        """Whether a sample's image depends on its own change alone."""
        return True

    @property
    def radii(self) -> dict[str, float]:
        """The largest norms of a change, by the names in `measure`."""
        return {}

    def with_steps(self, steps: int) -> Space:
        """This space, with its default steps computed for `steps` updates.

        Args:
            steps: Number of updates.

        Returns:
            A space whose steps all have a length.
        """
        return self

    def prepare(self, images: tf.Tensor, latents: Tensors | None) -> Any:
        """The context of a batch: data that stays constant in the search.

        Args:
            images: Images (B, H, W, C) in [0, 1].
            latents: Latents given with the images, or None.

        Returns:
            The context, which `start` and `apply` get.
        """
        raise NotImplementedError

    def start(self, context: Any, seed: tf.Tensor | None) -> Tensors:
        """The first change: random, or no change if `seed` is None.

        Args:
            context: Context that `prepare` returned.
            seed: Random seed, (2,) int32, or None.

        Returns:
            Change, a tensor or several tensors, batch first.
        """
        raise NotImplementedError

    def apply(
        self, images: tf.Tensor, change: Tensors, context: Any
    ) -> tf.Tensor:
        """The changed images (B, H, W, C), differentiable in `change`.

        The images may leave [0, 1]; the search clips the images.

        Args:
            images: Images (B, H, W, C) in [0, 1].
            change: Change, as `start` or `update` returned it.
            context: Context that `prepare` returned.

        Returns:
            Images (B, H, W, C).
        """
        raise NotImplementedError

    def update(
        self,
        change: Tensors,
        gradient: Tensors,
        images: tf.Tensor | None,
        iteration: tf.Tensor,
    ) -> Tensors:
        """The change after a step of steepest ascent and a projection.

        Args:
            change: Present change.
            gradient: Gradient of the objective, in the shapes of `change`.
            images: Images that `apply` changes, in [0, 1]; None inside a
                `Joint`, where these images are not constant and the search
                clips the result.
            iteration: Number of the update, 0 for the first.

        Returns:
            Change inside the budget, in the shapes of `change`.
        """
        raise NotImplementedError

    def measure(self, change: Tensors) -> dict[str, tf.Tensor]:
        """The budget used, {name: (B,)}, in the unit of the radius.

        Args:
            change: Change, batch first.

        Returns:
            A dict of norms, (B,) each.
        """
        raise NotImplementedError
