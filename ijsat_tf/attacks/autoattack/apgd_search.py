"""The search of APGD: gradient ascent with an adaptive step size."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from ijsat_tf.rows import each, pick, put, take
from ijsat_tf.spaces import Ball, Linf
from ijsat_tf.types import Tensors

# rho and alpha of the paper.
_ENOUGH_RISES = 0.75
_MOMENTUM = 0.75


class Point(NamedTuple):
    """A change of each sample, with the gradient and the loss there."""

    change: tf.Tensor
    gradient: tf.Tensor
    loss: tf.Tensor


class Outcome(NamedTuple):
    """The result of a search for each sample: a change that the model gets
    wrong, else the change of the highest loss."""

    change: tf.Tensor
    loss: tf.Tensor
    found: tf.Tensor


class _State(NamedTuple):
    now: Point
    best: Point
    before: tf.Tensor  # The change before the last step.
    wrong: tf.Tensor  # The last change that the model got wrong.
    found: tf.Tensor  # Whether there is such a change.
    step: tf.Tensor
    rises: tf.Tensor  # The number of rises of the loss in this window.
    checked: tf.Tensor  # The best loss at the last check.
    halved: tf.Tensor  # Whether that check halved the step.


Look = Callable[[Tensors, tf.Tensor], tuple[Point, tf.Tensor]]


def climb(
    look: Look, ball: Ball, samples: Tensors, change: tf.Tensor, steps: int
) -> Outcome:
    """Ascends from `change`; the step starts at twice the radius.

    With z = project(x + step * direction), x moves by 0.75 of the way to z
    plus 0.25 of the last move of x, and the sum is projected again. The steps
    are divided into a few windows. At the end of a window a sample halves its
    step and goes back to its best point in two cases: if the loss rose in at
    most 0.75 of the window's steps, or if step and best loss are the same as
    in the window before (Algorithm 1 of the source). A sample that the model
    gets wrong leaves the search at the end of the window, and costs no more
    evaluations.

    Args:
        look: Function from samples and their changes to a `Point` and whether
            the model is wrong there.
        ball: Ball of the change; images + change stays in [0, 1].
        samples: Tensors with one row per sample, the images first.
        change: Change to start from, (B, H, W, C).
        steps: Number of updates in all.

    Source: Croce and Hein, Reliable Evaluation of Adversarial Robustness with
    an Ensemble of Diverse Parameter-free Attacks, 2020. As in the official
    code, a return to the best point leaves the last move's start as it is.
    """
    lengths = windows(steps)
    first, wrong = look(samples, change)
    state = _State(
        now=first,
        best=first,
        before=change,
        wrong=change,
        found=wrong,
        step=tf.fill(tf.shape(first.loss), 2 * ball.radius),
        rises=tf.zeros_like(first.loss),
        checked=first.loss,
        halved=tf.ones_like(wrong),
    )
    outcome = Outcome(change, first.loss, wrong)
    rows = tf.range(tf.shape(change)[0])

    def window(number, rows, samples, state, outcome):
        length = tf.gather(lengths, number)
        project = _projection(ball, samples[0])
        _, state = tf.while_loop(
            lambda step, _: step < length,
            lambda step, state: (
                step + 1,
                _advanced(
                    lambda change: look(samples, change),
                    ball.direction,
                    project,
                    state,
                    number + step == 0,
                ),
            ),
            (0, state),
            parallel_iterations=1,
        )
        ended = Outcome(
            pick(state.found, state.wrong, state.best.change),
            state.best.loss,
            state.found,
        )
        outcome = put(outcome, rows, ended)
        state = _checked(state, length)
        left = tf.where(~state.found)[:, 0]
        rows, samples, state = take((rows, samples, state), left)
        return number + 1, rows, samples, state, outcome

    *_, outcome = tf.while_loop(
        lambda number, rows, *_: (number < len(lengths)) & (tf.size(rows) > 0),
        window,
        (0, rows, samples, state, outcome),
        shape_invariants=any_batch((0, rows, samples, state, outcome)),
        parallel_iterations=1,
    )
    return outcome


def windows(steps: int) -> list[int]:
    """The lengths of the windows in steps: 22, 19, 16, ... of 100."""
    length, least = max(int(0.22 * steps), 1), max(int(0.06 * steps), 1)
    lengths = []
    while sum(lengths) < steps:
        lengths.append(min(length, steps - sum(lengths)))
        length = max(length - max(int(0.03 * steps), 1), least)
    return lengths


def _projection(
    ball: Ball, images: tf.Tensor
) -> Callable[[tf.Tensor], tf.Tensor]:
    low, high = -images, 1 - images
    if isinstance(ball, Linf):
        # One clip for ball and box: each pass over the images costs time.
        low, high = ball.project(low), ball.project(high)
        return lambda change: tf.clip_by_value(change, low, high)
    return lambda change: tf.clip_by_value(ball.project(change), low, high)


def _advanced(
    look: Callable[[tf.Tensor], tuple[Point, tf.Tensor]],
    direction: Callable[[tf.Tensor], tf.Tensor],
    project: Callable[[tf.Tensor], tf.Tensor],
    state: _State,
    first: tf.Tensor,
) -> _State:
    change = state.now.change
    length = tf.cast(each(state.step, change), change.dtype)
    aim = project(change + length * direction(state.now.gradient))
    share = tf.cast(tf.where(first, 1.0, _MOMENTUM), change.dtype)
    # change + share (aim - change) + (1 - share) (change - before)
    rest = 1 - share
    moved = share * aim + rest * (2 * change - state.before)
    now, wrong = look(project(moved))
    return state._replace(
        now=now,
        best=pick(now.loss > state.best.loss, now, state.best),
        before=change,
        wrong=pick(wrong, now.change, state.wrong),
        found=state.found | wrong,
        rises=state.rises + tf.cast(now.loss > state.now.loss, tf.float32),
    )


def _checked(state: _State, length: tf.Tensor) -> _State:
    few = state.rises <= _ENOUGH_RISES * tf.cast(length, tf.float32)
    halve = few | (~state.halved & (state.checked >= state.best.loss))
    # The next step's loss is compared with the last one, not the best.
    back = state.best._replace(loss=state.now.loss)
    return state._replace(
        now=pick(halve, back, state.now),
        step=tf.where(halve, state.step / 2, state.step),
        rises=tf.zeros_like(state.rises),
        checked=state.best.loss,
        halved=halve,
    )


def any_batch(variables: Tensors) -> Tensors:
    """The shapes of a loop's variables for any number of rows."""

    def shape(each: tf.Tensor) -> tf.TensorShape:
        each = tf.convert_to_tensor(each)
        return tf.TensorShape([None] * min(each.shape.rank, 1)).concatenate(
            each.shape[1:]
        )

    return tf.nest.map_structure(shape, variables)
