"""The Joint Space Attack, which perturbs latents and image together.

Eq. 7: max over lambda, delta of L(f(G(G^-1(x) + lambda) + delta), y).

Eq. 8 prints the new changes as one step along the gradient's sign. Here, as
with PGD, the changes accumulate and are projected:

    lambda <- project(lambda + eta_iter * sign(dL/dlambda))
    delta  <- project(delta  + eps_iter * sign(dL/ddelta))

Both gradients come from the same backward pass, and the start is uniformly
random in both balls. x^ = clip(G(z + lambda) + delta) is in [0, 1]; the clip
passes gradients straight through.
"""

from __future__ import annotations

from typing import Any

from ijsat_tf.attacks.ascent import SpaceAttack
from ijsat_tf.spaces import Ball, Joint, Latent, Pixels
from ijsat_tf.types import value


@value
class JointSpaceAttack(SpaceAttack):
    """JSA: x^ = clip(G(G^-1(x) + lambda) + delta) (Eq. 7 and 8).

    Args:
        flow: Flow G, e.g. `ijsat_tf.flows.Glow`; if latents are given at the
            call, any network with `decode(latents)`.
        pixels: Ball of delta in [0, 1]; the paper's is
            `Linf(8 / 255, step=2 / 255)`.
        latent: Ball of lambda, per coordinate of the latents; the paper's is
            `Linf(0.02, step=0.005)`.
        steps: Number K of updates, default 10.
        levels: Numbers of the flow's levels that may change, from 1, e.g.
            [2] (Eq. 14); None, the default, stands for all levels.
        standardized: Whether lambda is measured in standard deviations of the
            flow's learned priors, which is another threat at the same radius;
            default False, for raw latents.
        restarts: Number of searches from different starts, default 1. Per
            sample the result is that of a successful search, else that of the
            search with the highest loss.
        random_start: Whether to start at random in both balls rather than at
            the image, default True.
        targeted: Whether labels are target classes, default False.

    Raises:
        ValueError: for settings out of range.

    Source: the paper, section 3.
    """

    flow: Any
    pixels: Ball
    latent: Ball
    steps: int = 10
    levels: tuple[int, ...] | None = None
    standardized: bool = False
    restarts: int = 1
    random_start: bool = True
    targeted: bool = False

    @property
    def space(self) -> Joint:
        latent = Latent(self.flow, self.latent, self.levels, self.standardized)
        return Joint(latent, Pixels(self.pixels))
