"""Norm balls, which bound a change, and the steps of steepest ascent.

A change is a tensor, or a list of tensors that form one vector per sample. The
first axis is the batch.
"""

from __future__ import annotations

import dataclasses
import math

import tensorflow as tf

from ijsat_tf import checks, rows, seeds
from ijsat_tf.types import Tensors, Value, value


@value
class Ball(Value):
    """The changes of norm at most `radius`, searched in steps of `step`.

    Args:
        radius: Radius in the unit of the change ([0, 1] for pixels); 0 is
            allowed and permits no change.
        step: Length of a step; None, the default, stands for
            2.5 * radius / steps.

    Raises:
        ValueError: for a radius or a step that is negative or not a finite
            number.
    """

    radius: float
    step: float | None = None

    def __post_init__(self):
        super().__post_init__()
        for name in ("radius", "step"):
            given = getattr(self, name)
            if name == "step" and given is None:
                continue
            if tf.is_tensor(given):  # See `lifting`.
                continue
            legal = (
                isinstance(given, (int, float))
                or getattr(given, "ndim", None) == 0
            ) and 0 <= float(given) < math.inf
            checks.require(
                legal,
                f"`{name}` of {type(self).__name__} must be a number, 0 or "
                "more and finite; pixels are in [0, 1], so write 8 grey "
                "levels as 8 / 255.",
                repr(given),
            )
            object.__setattr__(self, name, float(given))

    def with_step(self, steps: int) -> Ball:
        """This ball, with its default step computed for `steps` updates.

        Args:
            steps: Number of updates.

        Returns:
            A ball with the step 2.5 * radius / steps, or this ball if its step
            was given.
        """
        if self.step is not None:
            return self
        return dataclasses.replace(self, step=2.5 * self.radius / steps)

    def start(self, like: Tensors, seed: tf.Tensor) -> Tensors:
        """A random change inside the ball, of the shape of `like`.

        Args:
            like: Tensors in the shapes of the change.
            seed: Random seed, (2,) int32.

        Returns:
            Change, uniform in the ball, in the shapes of `like`.
        """
        raise NotImplementedError

    def direction(self, gradient: Tensors) -> Tensors:
        """The move of norm 1 of a steepest step.

        In `Linf` and `L2` no other move of norm 1 raises a linear loss more.

        Args:
            gradient: Gradient of the loss, in the shapes of the change.

        Returns:
            Move in the shapes of `gradient`, 0 where the gradient is 0.
        """
        raise NotImplementedError

    def ascend(self, change: Tensors, gradient: Tensors) -> Tensors:
        """The change after one step of steepest ascent, not projected.

        Args:
            change: Present change.
            gradient: Gradient of the loss, in the shapes of `change`.

        Returns:
            Change in the shapes of `change`.
        """
        raise NotImplementedError

    def project(self, change: Tensors) -> Tensors:
        """The nearest change inside the ball.

        Args:
            change: Change.

        Returns:
            Change in the shapes of `change`, nearest in the L2 norm.
        """
        raise NotImplementedError

    def ascend_within(
        self, change: tf.Tensor, gradient: tf.Tensor, images: tf.Tensor
    ) -> tf.Tensor:
        """The change after one step of steepest ascent, projected within.

        See `project_within` for the projection.

        Args:
            change: Present change, (B, H, W, C).
            gradient: Gradient of the loss, (B, H, W, C).
            images: Images (B, H, W, C) in [0, 1].

        Returns:
            Change (B, H, W, C).
        """
        return self.project_within(self.ascend(change, gradient), images)

    def project_within(self, change: tf.Tensor, images: tf.Tensor) -> tf.Tensor:
        """A change inside the ball for which images + change is in [0, 1].

        By default the change is projected into the ball, then clipped.

        Args:
            change: Change (B, H, W, C).
            images: Images (B, H, W, C) in [0, 1].

        Returns:
            Change (B, H, W, C).
        """
        return tf.clip_by_value(self.project(change), -images, 1 - images)

    def norm(self, change: Tensors) -> tf.Tensor:
        """The norm of each sample's change, (B,).

        Args:
            change: Change, batch first.

        Returns:
            Norms (B,), in the unit of the change.
        """
        raise NotImplementedError


@value
class Linf(Ball):
    """The Linf ball |change|_inf <= radius; steps follow the gradient's sign.

    Args:
        radius: Radius in the unit of the change ([0, 1] for pixels); 0 is
            allowed.
        step: Length of a step; None, the default, stands for
            2.5 * radius / steps.

    Raises:
        ValueError: for a radius or a step that is negative or not finite.
    """

    def start(self, like: Tensors, seed: tf.Tensor) -> Tensors:
        return _each(
            lambda part, draw: (
                as_type(self.radius, part) * seeds.uniform(part, draw)
            ),
            like,
            _parts(like, seed),
        )

    def direction(self, gradient: Tensors) -> Tensors:
        return _each(tf.sign, gradient)

    def ascend(self, change: Tensors, gradient: Tensors) -> Tensors:
        return _each(
            lambda part, slope: (
                part + as_type(self.step, part) * tf.sign(slope)
            ),
            change,
            gradient,
        )

    def project(self, change: Tensors) -> Tensors:
        def clip(part: tf.Tensor) -> tf.Tensor:
            radius = as_type(self.radius, part)
            return tf.clip_by_value(part, -radius, radius)

        return _each(clip, change)

    def norm(self, change: Tensors) -> tf.Tensor:
        largest = [
            tf.reduce_max(tf.abs(_rows(part)), axis=1)
            for part in tf.nest.flatten(change)
        ]
        return tf.reduce_max(tf.stack(largest), axis=0)


@value
class L2(Ball):
    """The L2 ball |change|_2 <= radius; steps follow the scaled gradient.

    The gradient is normalised to length 1. A list of tensors has one norm,
    over the numbers of all its tensors. The random start is uniform in the
    ball.

    Args:
        radius: Radius in the unit of the change ([0, 1] for pixels); 0 is
            allowed.
        step: Length of a step; None, the default, stands for
            2.5 * radius / steps.

    Raises:
        ValueError: for a radius or a step that is negative or not finite.
    """

    def start(self, like: Tensors, seed: tf.Tensor) -> Tensors:
        direction = _each(seeds.normal, like, _parts(like, seed))
        parts = tf.nest.flatten(like)
        dims = sum(math.prod(part.shape[1:]) for part in parts)
        uniform = seeds.uniform(parts[0][:, :1], seeds.derive(seed, "length"))
        fraction = (_rows(uniform)[:, 0] + 1) / 2
        length = as_type(self.radius, fraction) * fraction ** (1 / dims)
        return _scaled(direction, length / self._positive(direction))

    def direction(self, gradient: Tensors) -> Tensors:
        return _scaled(gradient, 1 / self._positive(gradient))

    def ascend(self, change: Tensors, gradient: Tensors) -> Tensors:
        length = self._positive(gradient)
        move = _scaled(gradient, as_type(self.step, length) / length)
        return _each(tf.add, change, move)

    def project(self, change: Tensors) -> Tensors:
        length = self.norm(change)
        radius = as_type(self.radius, length)
        return _scaled(change, tf.where(length > radius, radius / length, 1))

    def norm(self, change: Tensors) -> tf.Tensor:
        squares = [
            tf.reduce_sum(tf.square(_rows(part)), axis=1)
            for part in tf.nest.flatten(change)
        ]
        return tf.sqrt(tf.add_n(squares))

    def _positive(self, change: Tensors) -> tf.Tensor:
        return tf.maximum(self.norm(change), 1e-12)


_each = tf.nest.map_structure


def as_type(number: float | tf.Tensor, part: tf.Tensor) -> float | tf.Tensor:
    """A radius or step, which may be a tensor, in the type of `part`."""
    return tf.cast(number, part.dtype) if tf.is_tensor(number) else number


def _rows(part: tf.Tensor) -> tf.Tensor:
    return tf.reshape(part, [tf.shape(part)[0], -1])


def _parts(like: Tensors, seed: tf.Tensor) -> Tensors:
    count = len(tf.nest.flatten(like))
    parts = [seeds.derive(seed, number) for number in range(count)]
    return tf.nest.pack_sequence_as(like, parts)


def _scaled(change: Tensors, factor: tf.Tensor) -> Tensors:
    def scale(part: tf.Tensor) -> tf.Tensor:
        return part * tf.cast(rows.each(factor, part), part.dtype)

    return _each(scale, change)
