"""The search of APGD: gradient ascent with steps that adapt to each sample."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from ijsat_tf.rows import pick, put, take
from ijsat_tf.spaces import Ball
from ijsat_tf.types import Tensors


class Point(NamedTuple):
    """A change of each sample, with the gradient and the loss there."""

    change: tf.Tensor
    gradient: tf.Tensor
    loss: tf.Tensor


class Outcome(NamedTuple):
    """The result of a search per sample.

    Attributes:
        change: Change (B, H, W, C) that the model gets wrong, else the change
            of the highest loss.
        loss: Highest loss of the search, (B,).
        found: Whether the search found a change that the model gets wrong,
            (B,) bool.
    """

    change: tf.Tensor
    loss: tf.Tensor
    found: tf.Tensor


class State(NamedTuple):
    """The state of a search."""

    now: Point
    best: Point
    wrong: tf.Tensor  # The last change that the model got wrong.
    found: tf.Tensor  # Whether there is such a change.
    step: tf.Tensor  # The length of the next step, (B,).
    memory: Any  # What the subclass of the search remembers.


Look = Callable[[Tensors, tf.Tensor], tuple[Point, tf.Tensor]]
Projection = Callable[[tf.Tensor], tf.Tensor]


class Search:
    """A search in a ball, by windows of steps.

    There is one subclass per way of stepping. The windows are short runs of
    steps; at the end of each window a sample may change its step.

    Args:
        ball: Ball of the change; images + change stays in [0, 1].
        steps: Number of updates in all.

    Source: Croce and Hein, Reliable Evaluation of Adversarial Robustness with
    an Ensemble of Diverse Parameter-free Attacks, 2020.
    """

    def __init__(self, ball: Ball, steps: int):
        self.ball, self.steps = ball, steps

    @property
    def lengths(self) -> list[int] | tf.Tensor:
        """The lengths of the windows in steps."""
        raise NotImplementedError

    def start(self, images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """A random change to start from, (B, H, W, C)."""
        raise NotImplementedError

    def begin(self, first: Point) -> tuple[tf.Tensor, Any]:
        """The first step length (B,), and the memory."""
        raise NotImplementedError

    def move(
        self, state: State, project: Projection, first: tf.Tensor
    ) -> tf.Tensor:
        """The change after one step; `first` tells the search's first step."""
        raise NotImplementedError

    def note(self, state: State, now: Point) -> Any:
        """The memory after a step from `state` to `now`."""
        return state.memory

    def check(self, state: State, length: tf.Tensor) -> State:
        """The state after a window of `length` steps."""
        raise NotImplementedError

    def projection(self, images: tf.Tensor) -> Projection:
        """The projection of changes of these images."""
        return lambda change: self.ball.project_within(change, images)

    def climb(
        self,
        look: Look,
        samples: Tensors,
        change: tf.Tensor,
        until_found: bool | tf.Tensor = True,
    ) -> Outcome:
        """Ascends from `change`.

        A sample that the model gets wrong leaves the search at the end of the
        window, and costs no more evaluations.

        Args:
            look: Function from samples and their changes to a `Point` and
                whether the model is wrong there.
            samples: Tensors with one row per sample, the images first.
            change: Change to start from, (B, H, W, C).
            until_found: Whether samples that the model gets wrong leave,
                default True; else the outcome is the change of the highest
                loss for all samples.

        Returns:
            An `Outcome`.
        """
        lengths = tf.convert_to_tensor(self.lengths, tf.int32)
        first, wrong = look(samples, change)
        step, memory = self.begin(first)
        state = State(first, first, change, wrong, step, memory)
        outcome = Outcome(change, first.loss, wrong & until_found)
        rows = tf.range(tf.shape(change)[0])

        def window(number, rows, samples, state, outcome):
            length = tf.gather(lengths, number)
            project = self.projection(samples[0])
            _, state = tf.while_loop(
                lambda step, _: step < length,
                lambda step, state: (
                    step + 1,
                    self._advanced(
                        lambda change: look(samples, change),
                        project,
                        state,
                        number + step == 0,
                    ),
                ),
                (0, state),
                parallel_iterations=1,
            )
            leaves = state.found & until_found
            ended = Outcome(
                pick(leaves, state.wrong, state.best.change),
                state.best.loss,
                leaves,
            )
            outcome = put(outcome, rows, ended)
            state = self.check(state, length)
            left = tf.where(~leaves)[:, 0]
            rows, samples, state = take((rows, samples, state), left)
            return number + 1, rows, samples, state, outcome

        *_, outcome = tf.while_loop(
            lambda number, rows, *_: (
                (number < tf.size(lengths)) & (tf.size(rows) > 0)
            ),
            window,
            (0, rows, samples, state, outcome),
            shape_invariants=any_batch((0, rows, samples, state, outcome)),
            parallel_iterations=1,
        )
        return outcome

    def _advanced(
        self,
        look: Callable[[tf.Tensor], tuple[Point, tf.Tensor]],
        project: Projection,
        state: State,
        first: tf.Tensor,
    ) -> State:
        now, wrong = look(self.move(state, project, first))
        return State(
            now=now,
            best=pick(now.loss > state.best.loss, now, state.best),
            wrong=pick(wrong, now.change, state.wrong),
            found=state.found | wrong,
            step=state.step,
            memory=self.note(state, now),
        )


def any_batch(variables: Tensors) -> Tensors:
    """The shapes of a loop's variables for any number of rows."""

    def shape(each: tf.Tensor) -> tf.TensorShape:
        each = tf.convert_to_tensor(each)
        return tf.TensorShape([None] * min(each.shape.rank, 1)).concatenate(
            each.shape[1:]
        )

    return tf.nest.map_structure(shape, variables)
