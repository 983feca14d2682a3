"""The search of APGD in L1 balls that shrink to the radius."""

from __future__ import annotations

import dataclasses
import math

import tensorflow as tf

from ijsat_tf.attacks.autoattack import sparse_search
from ijsat_tf.attacks.autoattack.apgd_search import (
    Look,
    Outcome,
    Point,
    any_batch,
)
from ijsat_tf.attacks.autoattack.sparse_search import Memory, SparseSearch
from ijsat_tf.spaces import L1
from ijsat_tf.types import Tensors

_FACTORS = (3.0, 2.0, 1.0)


class LargerRadii(SparseSearch):
    """Three searches, in balls of 3, 2 and 1 times the radius.

    The searches take 0.3, 0.3 and 0.4 of the steps. Each search starts from
    the best change of the search before, projected into its own ball, with
    |start|_0 / (1.5 N) as the share of the coordinates. Only the last search
    counts what the model gets wrong.

    Source: Croce and Hein, Mind the Box: l1-APGD for Sparse Adversarial
    Attacks on Image Classifiers, 2021, section 3.3.
    """

    def start(self, images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        wide = SparseSearch(self._ball(_FACTORS[0]), self.steps)
        return wide.start(images, seed)

    def climb(self, look: Look, samples: Tensors, change: tf.Tensor) -> Outcome:
        factors = tf.constant(_FACTORS, samples[0].dtype)
        lengths = tf.ragged.constant(
            [sparse_search.windows(count) for count in phases(self.steps)],
            tf.int32,
        )
        last = len(_FACTORS) - 1

        def narrowed(
            phase: tf.Tensor, outcome: Outcome
        ) -> tuple[tf.Tensor, Outcome]:
            ball = self._ball(factors[phase])
            search = _Continued(ball, lengths[phase])
            start = ball.project_within(outcome.change, samples[0])
            return phase + 1, search.climb(look, samples, start, phase == last)

        nothing = tf.zeros_like(change[:, 0, 0, 0])
        begun = Outcome(
            change, tf.cast(nothing, tf.float32), tf.cast(nothing, tf.bool)
        )
        _, outcome = tf.while_loop(
            lambda phase, _: phase <= last,
            narrowed,
            (0, begun),
            shape_invariants=any_batch((0, begun)),
            parallel_iterations=1,
        )
        return outcome

    def _ball(self, factor: float | tf.Tensor) -> L1:
        return dataclasses.replace(self.ball, radius=factor * self.ball.radius)


def phases(steps: int) -> tuple[int, int, int]:
    """The numbers of steps in the three balls: 30, 30 and 40 of 100."""
    wide = min(math.ceil(0.3 * steps), steps // 2)
    return wide, wide, steps - 2 * wide


class _Continued(SparseSearch):
    """A search from the end of another one, by windows of given lengths."""

    @property
    def lengths(self) -> tf.Tensor:
        return self.steps

    def begin(self, first: Point) -> tuple[tf.Tensor, Memory]:
        step, memory = super().begin(first)
        count = sparse_search.changed(first.change)
        share = count / memory.count / sparse_search.SPARSER
        return step, Memory(share, count)
