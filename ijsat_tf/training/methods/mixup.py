"""Input mixup, which mixes images and labels."""

from __future__ import annotations

import tensorflow as tf

from ijsat_tf import mixup
from ijsat_tf.samples import Batch
from ijsat_tf.training.methods.method import Method
from ijsat_tf.types import value


@value
class Mixup(Method):
    """Input mixup: training on mixtures of pairs of samples (Eq. 6).

    The method minimises L(f(a x_i + (1 - a) x_j), a y_i + (1 - a) y_j) over
    theta. This loss equals a L(f(x), y_i) + (1 - a) L(f(x), y_j) of the mixed
    image x, which the official code computes. Partners are neighbours in the
    shuffled batch; the official code permutes the batch instead.

    Args:
        tau: Parameter of alpha ~ Beta(tau, tau), default 1, the official
            code's; 0 mixes nothing.
        alpha: Scope of each drawn alpha, "batch" (the default, as in the
            official code) or "sample".

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
