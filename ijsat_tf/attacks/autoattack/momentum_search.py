"""The search of APGD in Linf and L2 balls: momentum, and halved steps."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from ijsat_tf.attacks.autoattack.apgd_search import (
    Point,
    Projection,
    Search,
    State,
)
from ijsat_tf.rows import each, pick
from ijsat_tf.spaces import Linf

# rho and alpha of the paper.
_ENOUGH_RISES = 0.75
_MOMENTUM = 0.75


class Memory(NamedTuple):
    """What decides about the steps of a sample."""

    before: tf.Tensor  # The change before the last step.
    rises: tf.Tensor  # The number of rises of the loss in this window.
    checked: tf.Tensor  # The best loss at the last check.
    halved: tf.Tensor  # Whether that check halved the step.


class MomentumSearch(Search):
    """Steepest steps with momentum; the first step is twice the radius.

    With z = project(x + step * direction), x moves by 0.75 of the way to z
    plus 0.25 of the last move of x, and the sum is projected again. The steps
    are divided into a few windows. At the end of a window a sample halves its
    step and goes back to its best point in two cases: if the loss rose in at
    most 0.75 of the window's steps, or if step and best loss are the same as
    in the window before (Algorithm 1 of the source).

    Source: Croce and Hein, Reliable Evaluation of Adversarial Robustness with
    an Ensemble of Diverse Parameter-free Attacks, 2020. As in the official
    code, a return to the best point leaves the last move's start as it is.
    """

    @property
    def lengths(self) -> list[int]:
        return windows(self.steps)

    def start(self, images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """A change on the ball's border, then clipped."""
        change = self.ball.start(images, seed)
        length = tf.maximum(self.ball.norm(change), 1e-12)
        scale = each(self.ball.radius / length, images)
        return tf.clip_by_value(scale * change, -images, 1 - images)

    def begin(self, first: Point) -> tuple[tf.Tensor, Memory]:
        step = tf.fill(tf.shape(first.loss), 2 * self.ball.radius)
        return step, Memory(
            before=first.change,
            rises=tf.zeros_like(first.loss),
            checked=first.loss,
            halved=tf.ones_like(first.loss, tf.bool),
        )

    def projection(self, images: tf.Tensor) -> Projection:
        low, high = -images, 1 - images
        if isinstance(self.ball, Linf):
            # One clip for ball and box: each pass over the images costs time.
            low, high = self.ball.project(low), self.ball.project(high)
            return lambda change: tf.clip_by_value(change, low, high)
        return lambda change: tf.clip_by_value(
            self.ball.project(change), low, high
        )

    def move(
        self, state: State, project: Projection, first: tf.Tensor
    ) -> tf.Tensor:
        change = state.now.change
        length = tf.cast(each(state.step, change), change.dtype)
        direction = self.ball.direction(state.now.gradient)
        aim = project(change + length * direction)
        share = tf.cast(tf.where(first, 1.0, _MOMENTUM), change.dtype)
        # change + share (aim - change) + (1 - share) (change - before)
        rest = 1 - share
        moved = share * aim + rest * (2 * change - state.memory.before)
        return project(moved)

    def note(self, state: State, now: Point) -> Memory:
        rose = tf.cast(now.loss > state.now.loss, tf.float32)
        return state.memory._replace(
            before=state.now.change, rises=state.memory.rises + rose
        )

    def check(self, state: State, length: tf.Tensor) -> State:
        memory = state.memory
        few = memory.rises <= _ENOUGH_RISES * tf.cast(length, tf.float32)
        stuck = memory.checked >= state.best.loss
        halve = few | (~memory.halved & stuck)
        # The next step's loss is compared with the last one, not the best.
        back = state.best._replace(loss=state.now.loss)
        return state._replace(
            now=pick(halve, back, state.now),
            step=tf.where(halve, state.step / 2, state.step),
            memory=memory._replace(
                rises=tf.zeros_like(memory.rises),
                checked=state.best.loss,
                halved=halve,
            ),
        )


def windows(steps: int) -> list[int]:
    """The lengths of the windows in steps: 22, 19, 16, ... of 100."""
    length, least = max(int(0.22 * steps), 1), max(int(0.06 * steps), 1)
    lengths = []
    while sum(lengths) < steps:
        lengths.append(min(length, steps - sum(lengths)))
        length = max(length - max(int(0.03 * steps), 1), least)
    return lengths
