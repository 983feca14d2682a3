"""Robust Mixup: mix first, then attack the mixture."""

from __future__ import annotations

from ijsat_tf.training.methods.at import AT
from ijsat_tf.training.methods.mixup import Mixup
from ijsat_tf.types import value


@value
class IJSAT(Mixup, AT):
    """Robust Mixup: mix first, then attack the mixture (Eq. 11).

    The method computes min_theta max L_mix(f(G(G^-1(IM(x)) + lambda) + delta)),
    with the same alpha in the mixture, in the attack's loss and in the training
    loss (Algorithm 1).

    Args:
        attack: Attack on the mixtures. With `JointSpaceAttack` this is the
            paper's IJSAT; with another attack this is Robust Mixup in the space
            of that attack (Eq. 10 with PGD).
        tau: Parameter of alpha ~ Beta(tau, tau), default 0.1; 0 mixes
            nothing.
        alpha: Scope of each drawn alpha, "sample" (the default) or "batch".

    Raises:
        ValueError: for settings out of range.

    Source: the paper, section 5.
    """

    tau: float = 0.1
    alpha: str = "sample"
