"""Input mixup."""

from __future__ import annotations

import tensorflow as tf

from ijsat_tf import mixup
from ijsat_tf.mixup import Batch
from ijsat_tf.training.methods.method import Method
from ijsat_tf.types import value


@value
class Mixup(Method):
    """min_theta L(f(a x_i + (1 - a) x_j), a y_i + (1 - a) y_j) (Eq. 6).

    Equal to a L(f(x), y_i) + (1 - a) L(f(x), y_j) of the mixed image x, as
    the official code has it. Partners are neighbours in the shuffled batch,
    where that code permutes the batch.

    Args:
        tau: alpha ~ Beta(tau, tau), default 1, the official code's; 0 mixes
            nothing.
        alpha: one alpha a "batch" (the default, as there) or a "sample".

    Raises:
        ValueError: for settings out of range.

    Source: Zhang et al., mixup: Beyond Empirical Risk Minimization, 2018;
    https://github.com/facebookresearch/mixup-cifar10.
    """

    tau: float = 1.0
    alpha: str = "batch"

    def __post_init__(self):
        super().__post_init__()
        mixup.check(self.tau, self.alpha)

    def mixture(self, batch: Batch, seed: tf.Tensor) -> Batch:
        return mixup.mixup(batch, self.tau, seed, self.alpha)
