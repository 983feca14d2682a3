"""APGD: projected gradient ascent without a step size to choose."""

from __future__ import annotations

import tensorflow as tf

from ijsat_tf import checks, losses, seeds
from ijsat_tf.attacks.attack import AttackResult
from ijsat_tf.attacks.autoattack import margins
from ijsat_tf.attacks.autoattack.apgd_search import Outcome, Point, Search
from ijsat_tf.attacks.autoattack.hard_labels import require_hard
from ijsat_tf.attacks.autoattack.larger_radii import LargerRadii
from ijsat_tf.attacks.autoattack.momentum_search import MomentumSearch
from ijsat_tf.attacks.autoattack.sparse_search import SparseSearch
from ijsat_tf.attacks.ball_attack import BallAttack
from ijsat_tf.attacks.gradients import of_images
from ijsat_tf.attacks.outcome import succeeds
from ijsat_tf.rows import pick, put, take
from ijsat_tf.spaces import L1
from ijsat_tf.types import LogitsFn, Tensors, value

# {name: (loss, smallest number of classes for which the loss is defined)}
_LOSSES = {
    "ce": (losses.cross_entropy, 2),
    "dlr": (margins.difference_of_logits_ratio, 3),
    "targeted": (margins.targeted_difference_of_logits_ratio, 4),
}


@value
class APGD(BallAttack):
    """Auto-PGD: gradient ascent with an adaptive step size.

    In an `Linf` or `L2` ball the search has momentum and starts on the border
    of the ball, in a random direction, with a step of twice the radius. Each
    sample halves its own step when progress stops; see
    `ijsat_tf.attacks.autoattack.momentum_search`. In an `L1` ball a step moves
    few coordinates, and each sample adapts their number; see
    `ijsat_tf.attacks.autoattack.sparse_search`. The search of a sample ends
    with the window of steps in which its first misclassified image was found.
    The result is the last misclassified image, else the image of the highest
    loss.

    Args:
        ball: Ball of the pixels, `Linf`, `L2` or `L1`, e.g. `Linf(8 / 255)`;
            the ball's own step is not used.
        loss: Loss to maximise: "ce", the default, is the cross entropy; "dlr"
            is the difference of logits ratio, which needs three classes;
            "targeted" is the targeted ratio, which needs four classes and
            aims at one other class after another.
        steps: Number of updates, default 100.
        restarts: Number of searches from different starts, for samples not
            yet misclassified; default 1. With the loss "targeted", the number
            for each target.
        targets: Number of classes that the loss "targeted" aims at, in the
            order of the largest logits on the clean image; default 9, and at
            most all other classes.
        gradient_samples: Number of evaluations of the model over which a
            gradient is averaged, default 1; use more for a randomised model.
        larger_radii: Whether a search in an `L1` ball passes through the balls
            of three and two times the radius first, with 0.3 of the steps in
            each; default False.

    Raises:
        ValueError: for settings out of range; when called, for a model with
            too few classes, and for soft labels unless the loss is "ce".

    Source: Croce and Hein, Reliable Evaluation of Adversarial Robustness with
    an Ensemble of Diverse Parameter-free Attacks, 2020; in an L1 ball, Croce
    and Hein, Mind the Box: l1-APGD for Sparse Adversarial Attacks on Image
    Classifiers, 2021.
    """

    loss: str = "ce"
    steps: int = 100
    restarts: int = 1
    targets: int = 9
    gradient_samples: int = 1
    larger_radii: bool = False
    counts = "steps", "restarts", "targets", "gradient_samples"

    def __post_init__(self):
        super().__post_init__()
        checks.require(
            self.loss in _LOSSES,
            f"`loss` must be one of {', '.join(_LOSSES)}.",
            repr(self.loss),
        )
        checks.require(
            not self.larger_radii or isinstance(self.ball, L1),
            "`larger_radii` is for an L1 ball; leave it out for other balls.",
            repr(self.ball),
        )

    @property
    def least_classes(self) -> int:
        """The number of classes that the loss needs to be defined."""
        return _LOSSES[self.loss][1]

    def craft(
        self,
        logits_of: LogitsFn,
        images: tf.Tensor,
        labels: tf.Tensor,
        seed: tf.Tensor,
        latents: Tensors | None = None,
    ) -> AttackResult:
        labels = self._fitting(labels)
        samples, goals, rounds = (images, labels), None, self.restarts
        if self.loss == "targeted":
            count = min(self.targets, labels.shape[-1] - 1)
            goals = margins.ranked_targets(labels, logits_of(images), count)
            rounds *= count
        search = self._search

        def look(samples: Tensors, change: tf.Tensor):
            return self._look(logits_of, samples, change)

        def again(number: tf.Tensor, outcome: Outcome):
            draw = seeds.derive(seed, "start", number)
            start = search.start(images, draw)
            given = samples
            if goals is not None:
                goal = tf.gather(goals, number // self.restarts, axis=1)
                given += (tf.one_hot(goal, labels.shape[-1]),)
            rows = tf.where(~outcome.found)[:, 0]
            given, start = take((given, start), rows)
            new = search.climb(look, given, start)
            old = take(outcome, rows)
            better = new.found | (new.loss > old.loss) | (number == 0)
            new = pick(better, new, old)
            return number + 1, put(outcome, rows, new)

        nothing = Outcome(
            tf.zeros_like(images),
            tf.zeros_like(labels[:, 0]),
            tf.zeros_like(labels[:, 0], tf.bool),
        )
        _, outcome = tf.while_loop(
            lambda number, outcome: (
                (number < rounds) & ~tf.reduce_all(outcome.found)
            ),
            again,
            (0, nothing),
            parallel_iterations=1,
        )
        adversarial = images + outcome.change
        logits = logits_of(adversarial)
        success = succeeds(logits, labels)
        return AttackResult(
            adversarial,
            success,
            losses.cross_entropy(labels, logits),
            {"pixels": self.ball.norm(outcome.change)},
            tf.zeros_like(success),
        )

    @property
    def _search(self) -> Search:
        kind = SparseSearch if isinstance(self.ball, L1) else MomentumSearch
        return (LargerRadii if self.larger_radii else kind)(
            self.ball, self.steps
        )

    def _fitting(self, labels: tf.Tensor) -> tf.Tensor:
        checks.require(
            labels.shape[-1] >= self.least_classes,
            f"The model must have at least {self.least_classes} classes for "
            f"the loss {self.loss!r}; use loss='ce'.",
            f"{labels.shape[-1]} classes",
        )
        if self.loss == "ce":
            return labels
        return require_hard(labels, f"APGD with the loss {self.loss!r}")

    def _look(
        self, logits_of: LogitsFn, samples: Tensors, change: tf.Tensor
    ) -> tuple[Point, tf.Tensor]:
        images, labels, *goal = samples
        adversarial = images + change

        def sample(number, total, *_):
            slope, loss, logits = of_images(
                logits_of,
                adversarial,
                lambda logits: _LOSSES[self.loss][0](labels, logits, *goal),
            )
            # Only the direction counts: a sum is as good as a mean.
            slope = slope if total is None else total + slope
            return number + 1, slope, loss, logits

        first = sample(0, None)
        _, gradient, loss, logits = (
            tf.while_loop(
                lambda number, *_: number < self.gradient_samples,
                sample,
                first,
                parallel_iterations=1,
            )
            if self.gradient_samples > 1
            else first
        )
        wrong = succeeds(logits, labels)
        return Point(change, gradient, loss), wrong
