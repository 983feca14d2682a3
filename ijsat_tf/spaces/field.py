"""The base class of spaces of smooth fields, which are searched by Adam."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from ijsat_tf import checks
from ijsat_tf.generators.adam import adam
from ijsat_tf.spaces.balls import Linf
from ijsat_tf.spaces.transform import Transform
from ijsat_tf.types import value


class FieldChange(NamedTuple):
    """A field F, with the state of Adam; each is (B, *grid, D).

    Attributes:
        field: Displacement F at each point of the grid.
        mean: Decaying mean of the gradients.
        square: Decaying mean of the squared gradients.
    """

    field: tf.Tensor
    mean: tf.Tensor
    square: tf.Tensor


@value
class Field(Transform):
    """Fields F of displacements with |F|_inf <= budget, preferably smooth.

    F <- project(F + step * adam(d J / dF))
    J = loss - smoothness * TV(F) / budget

    TV is the `total_variation`. The search scales the loss per sample, so that
    the largest derivative by a logit is 1. Then the loss is in logits, like the
    margin that the originals maximise. (An `Ascent` with momentum scales the
    gradient in another way.) A subclass defines `prepare`, whose context is the
    field of zeros, and `apply`.

    Args:
        budget: Largest absolute value of F.
        step: Learning rate of Adam, in the unit of F; None, the default,
            stands for `reach / sqrt(steps)`.
        smoothness: Weight of the total variation, in logits, default 0.

    Raises:
        ValueError: for settings that are negative or not finite numbers.
    """

    smoothness: float = 0.0

    def __post_init__(self):
        super().__post_init__()
        checks.not_negative("smoothness", self.smoothness)
        object.__setattr__(self, "smoothness", float(self.smoothness))

    def start(self, context: tf.Tensor, seed: tf.Tensor | None) -> FieldChange:
        field = context
        if seed is not None:
            field = self.project(self._ball.start(context, seed))
        return FieldChange(field, context, context)

    def update(
        self,
        change: FieldChange,
        gradient: FieldChange,
        images: tf.Tensor | None,
        iteration: tf.Tensor,
    ) -> FieldChange:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(change.field)
            roughness = total_variation(change.field)
        # With a budget of 0, the field is 0 and so is this slope.
        weight = self.smoothness / max(self.budget, 1e-12)
        penalty = weight * tape.gradient(roughness, change.field)
        step, mean, square = adam(
            gradient.field - penalty, change.mean, change.square, iteration
        )
        field = self.project(change.field + self.step * step)
        return FieldChange(field, mean, square)

    def project(self, field: tf.Tensor) -> tf.Tensor:
        """The nearest field that is allowed.

        Args:
            field: Field (B, *grid, D).
        """
        return self._ball.project(field)

    def measure(self, change: FieldChange) -> dict[str, tf.Tensor]:
        return {self.name: self._ball.norm(change.field)}

    @property
    def _ball(self) -> Linf:
        return Linf(self.budget, self.step)


def total_variation(field: tf.Tensor) -> tf.Tensor:
    """sum_p sum_{q next to p} sqrt(|F(p) - F(q)|^2 + 1e-10), (B,).

    Each pair of neighbours along an axis of the grid counts twice, once from
    each side.

    Args:
        field: Field (B, *grid, D).
    """
    total = 0.0
    for axis in range(1, field.shape.rank - 1):
        count = field.shape[axis]
        ahead = tf.gather(field, tf.range(1, count), axis=axis)
        behind = tf.gather(field, tf.range(count - 1), axis=axis)
        squares = tf.reduce_sum(tf.square(ahead - behind), axis=-1)
        lengths = tf.sqrt(squares + 1e-10)
        total += 2 * tf.reduce_sum(
            lengths, axis=list(range(1, lengths.shape.rank))
        )
    return total
