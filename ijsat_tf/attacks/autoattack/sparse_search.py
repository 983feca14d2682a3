"""The search of APGD in an L1 ball: steps of an adaptive sparsity."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from ijsat_tf import seeds
from ijsat_tf.attacks.autoattack.apgd_search import (
    Point,
    Projection,
    Search,
    State,
)
from ijsat_tf.rows import each, joined, parted, pick
from ijsat_tf.spaces.l1 import signs_from

# Settings of the official code.
_WINDOW = 0.04
_FIRST_SHARE = 0.2
SPARSER = 1.5
_FEWER = 0.95
_SHORTER = 1.5
_LEAST = 0.1


class Memory(NamedTuple):
    """What decides about the steps of a sample."""

    share: tf.Tensor  # The share of the coordinates that a step moves.
    count: tf.Tensor  # The number of changed coordinates at the last check.


class SparseSearch(Search):
    """Steps of the largest slopes, as many as the best change needs.

    A step moves a share of the coordinates, those of the largest slopes, in
    the direction of the slopes' signs; see `L1`. Changes are projected onto the
    ball inside the box, without momentum. With |best|_0 the number of
    coordinates that the best change so far moves, the share is

        |best|_0 / (1.5 N),

    renewed every 4 % of the steps, and 0.2 before. The step is the radius at
    first. If |best|_0 has fallen below 0.95 of its last value, the step is the
    radius again and the search goes back to the best change; else the step
    becomes 1.5 times shorter, down to a tenth of the radius.

    Source: Croce and Hein, Mind the Box: l1-APGD for Sparse Adversarial
    Attacks on Image Classifiers, 2021, with the settings of
    https://github.com/fra31/auto-attack.
    """

    @property
    def lengths(self) -> list[int] | tf.Tensor:
        return windows(self.steps)

    def start(self, images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """A projected change of standard normal numbers."""
        return self.ball.project_within(seeds.normal(images, seed), images)

    def begin(self, first: Point) -> tuple[tf.Tensor, Memory]:
        samples = tf.shape(first.loss)
        share = tf.fill(samples, _FIRST_SHARE)
        count = tf.fill(samples, _size(first.change))
        return tf.fill(samples, self.ball.radius), Memory(share, count)

    def move(
        self, state: State, project: Projection, first: tf.Tensor
    ) -> tf.Tensor:
        change = state.now.change
        slopes = joined(state.now.gradient)
        size = _size(change)
        place = tf.cast((1 - state.memory.share) * size, tf.int32)
        place = tf.clip_by_value(place, 0, tf.cast(size, tf.int32) - 1)
        least = tf.gather(tf.sort(tf.abs(slopes)), place[:, None], batch_dims=1)
        direction = parted(signs_from(slopes, least), change)
        length = tf.cast(each(state.step, change), change.dtype)
        return project(change + length * direction)

    def check(self, state: State, length: tf.Tensor) -> State:
        count = changed(state.best.change)
        fewer = count < _FEWER * state.memory.count
        radius = tf.zeros_like(state.step) + self.ball.radius
        shorter = tf.maximum(state.step / _SHORTER, _LEAST * radius)
        share = count / _size(state.best.change) / SPARSER
        return state._replace(
            now=pick(fewer, state.best, state.now),
            step=tf.where(fewer, radius, shorter),
            memory=Memory(share, count),
        )


def windows(steps: int) -> list[int]:
    """The lengths of the windows in steps: 25 times 4 of 100."""
    length = max(int(_WINDOW * steps), 1)
    return [min(length, steps - done) for done in range(0, steps, length)]


def changed(change: tf.Tensor) -> tf.Tensor:
    """The number of coordinates that a change moves, (B,)."""
    moved = tf.math.count_nonzero(joined(change), axis=1)
    return tf.cast(moved, tf.float32)


def _size(change: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.reduce_prod(tf.shape(change)[1:]), tf.float32)
