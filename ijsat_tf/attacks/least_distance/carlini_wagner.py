"""Carlini and Wagner's attack: distance plus c times the lead, by Adam."""

from __future__ import annotations

import math
from typing import NamedTuple

import tensorflow as tf

from ijsat_tf import checks
from ijsat_tf.attacks.least_distance.least_distance import LeastDistance
from ijsat_tf.attacks.least_distance.norms import l2
from ijsat_tf.generators.adam import adam
from ijsat_tf.rows import each, pick
from ijsat_tf.types import LogitsFn, value

# Black and white pixels would be at infinity in the space of tanh.
_INSIDE = 0.999999
_PROGRESS = 0.9999
# At first Adam's steps are of one length, and may be too long for a small c.
_SETTLED = 100


class Descent(NamedTuple):
    """The state of Adam for one c, and the nearest image so far.

    Attributes:
        change: Change of w, (B, H, W, C).
        mean: Decaying mean of the gradients.
        square: Decaying mean of the squared gradients.
        checked: Objective when progress was last checked, (B,).
        live: Whether the sample's descent goes on, (B,).
        found: Whether this c has led to a success, (B,).
        nearest: Nearest success of all c, (B, H, W, C).
        least: Distance of that success, (B,); infinite where there is none.
    """

    change: tf.Tensor
    mean: tf.Tensor
    square: tf.Tensor
    checked: tf.Tensor
    live: tf.Tensor
    found: tf.Tensor
    nearest: tf.Tensor
    least: tf.Tensor


@value
class CarliniWagner(LeastDistance):
    """Carlini and Wagner's L2 attack, with a search for the best c.

    For each sample and each c, Adam minimises over w

    |x^ - x|_2^2 + c max(L(x^) + confidence, 0),   x^ = (tanh(w) + 1) / 2,

    with the margin L = z_y - max_{j != y} z_j. c grows tenfold until a
    descent meets a misclassified image, and is then bisected. The result is
    the nearest misclassified image that any descent met.

    Args:
        steps: Number of updates for each c, default 10,000.
        binary_search_steps: Number of values of c, default 9.
        learning_rate: Learning rate of Adam, default 0.01.
        confidence: Margin, in logits, by which the other class must win;
            default 0.
        initial_constant: First c, default 0.001.
        abort_early: Whether the descent of a sample stops if the objective
            fell by less than 0.01 % in a tenth of the steps, and in no fewer
            than 100 updates; default True. The official code asks this of the
            sum over the batch; here each sample is asked alone.
        targeted: Whether labels are target classes, default False.

    Raises:
        ValueError: for settings out of range; when called, for soft labels.

    Source: Carlini and Wagner, Towards Evaluating the Robustness of Neural
    Networks, 2017, section VI.A.
    """

    steps: int = 10000
    binary_search_steps: int = 9
    learning_rate: float = 0.01
    confidence: float = 0.0
    initial_constant: float = 0.001
    abort_early: bool = True
    targeted: bool = False
    counts = "steps", "binary_search_steps"

    def __post_init__(self):
        super().__post_init__()
        for name in ("learning_rate", "confidence", "initial_constant"):
            checks.not_negative(name, getattr(self, name))

    def search(
        self,
        logits_of: LogitsFn,
        images: tf.Tensor,
        labels: tf.Tensor,
        logits: tf.Tensor,
    ) -> tf.Tensor:
        zeros, none = tf.zeros_like(images), tf.zeros_like(images[:, 0, 0, 0])
        infinite, no = none + math.inf, none > 0

        def bisect(
            number: tf.Tensor,
            constant: tf.Tensor,
            low: tf.Tensor,
            high: tf.Tensor,
            nearest: tf.Tensor,
            least: tf.Tensor,
        ) -> tuple[tf.Tensor, ...]:
            start = Descent(
                zeros, zeros, zeros, infinite, ~no, no, nearest, least
            )
            end = self._descend(logits_of, images, labels, constant, start)
            low = tf.where(end.found, low, constant)
            high = tf.where(end.found, constant, high)
            middle = (low + high) / 2
            constant = tf.where(high < math.inf, middle, 10 * constant)
            return number + 1, constant, low, high, end.nearest, end.least

        *_, nearest, _ = tf.while_loop(
            lambda *_: True,
            bisect,
            (0, none + self.initial_constant, none, infinite, images, infinite),
            parallel_iterations=1,
            maximum_iterations=self.binary_search_steps,
        )
        return nearest

    def _descend(
        self,
        logits_of: LogitsFn,
        images: tf.Tensor,
        labels: tf.Tensor,
        constant: tf.Tensor,
        start: Descent,
    ) -> Descent:
        """Runs Adam from the images, for one c per sample."""
        origin = tf.atanh(_INSIDE * (2 * images - 1))
        period = max(_SETTLED, -(-self.steps // 10))

        def step(number: tf.Tensor, now: Descent) -> tuple[tf.Tensor, Descent]:
            moved = _pixels(origin + now.change)
            gradient, lead, success = self.view(logits_of, moved, labels)
            excess = lead + self.confidence
            away = moved - _pixels(origin)
            objective = l2(away) ** 2 + constant * tf.nn.relu(excess)

            success &= now.live & ~(excess > 0)
            distance = l2(moved - images)
            nearer = success & (distance < now.least)

            ahead = tf.where(excess > 0, constant, 0)
            slope = 2 * away + each(ahead) * gradient
            slope *= 2 * moved * (1 - moved)  # dx^ / dw
            move, mean, square = adam(slope, now.mean, now.square, number)

            asked = number % period == 0
            stuck = asked & ~(objective <= _PROGRESS * now.checked)
            return number + 1, Descent(
                now.change - self.learning_rate * move,
                mean,
                square,
                tf.where(asked, objective, now.checked),
                now.live & ~stuck if self.abort_early else now.live,
                now.found | success,
                pick(nearer, moved, now.nearest),
                tf.where(nearer, distance, now.least),
            )

        _, end = tf.while_loop(
            lambda number, now: tf.reduce_any(now.live),
            step,
            (0, start),
            parallel_iterations=1,
            maximum_iterations=self.steps,
        )
        return end


def _pixels(tangents: tf.Tensor) -> tf.Tensor:
    """The images (tanh(w) + 1) / 2."""
    return (tf.tanh(tangents) + 1) / 2
