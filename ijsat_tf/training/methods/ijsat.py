"""Robust Mixup: mix first, then attack the mixture."""

from __future__ import annotations

from ijsat_tf.training.methods.at import AT
from ijsat_tf.training.methods.mixup import Mixup
from ijsat_tf.types import value


@value
class IJSAT(Mixup, AT):
    """Robust Mixup: mix first, then attack the mixture (Eq. 11).

    min_theta max L_mix(f(G(G^-1(IM(x)) + lambda) + delta)), with the same
    alpha in the mixture, in the attack's loss and in the training loss
    (Algorithm 1).

    Args:
        attack: `JointSpaceAttack` for the paper's IJSAT; another for Robust
            Mixup in its space (Eq. 10 with PGD).
        tau: alpha ~ Beta(tau, tau), default 0.1; 0 mixes nothing.
        alpha: one alpha a "sample" (the default) or a "batch".

    Raises:
        ValueError: for settings out of range.

    Source: the paper, section 5.
    """

    tau: float = 0.1
    alpha: str = "sample"
