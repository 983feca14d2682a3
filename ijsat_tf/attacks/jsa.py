"""The Joint Space Attack: latent and image perturbed together.

Eq. 7: max over lambda, delta of L(f(G(G^-1(x) + lambda) + delta), y).

Eq. 8 prints the new changes as one step of the gradient's sign; as with PGD
they accumulate and are projected:

    lambda <- project(lambda + eta_iter * sign(dL/dlambda))
    delta  <- project(delta  + eps_iter * sign(dL/ddelta))

with both gradients from the same backward pass, from a uniform random start
in both balls. x^ = clip(G(z + lambda) + delta) is in [0, 1]; the clip passes
gradients straight through.
"""

from __future__ import annotations

from typing import Any

from ijsat_tf.attacks.ascent import Ascent
from ijsat_tf.attacks.attack import Attack
from ijsat_tf.spaces import Ball, Joint, Latent, Pixels
from ijsat_tf.types import value


@value
class JointSpaceAttack(Attack):
    """JSA: x^ = clip(G(G^-1(x) + lambda) + delta) (Eq. 7 and 8).

    Args:
        flow: G, e.g. `ijsat_tf.flows.Glow`; with latents given at the call,
            any network with `decode(latents)`.
        pixels: ball of delta in [0, 1]; the paper's is
            `Linf(8 / 255, step=2 / 255)`.
        latent: ball of lambda, per coordinate of the latents; the paper's is
            `Linf(0.02, step=0.005)`.
        steps: K, default 10.
        levels: numbers of the flow's levels that may change, from 1, e.g.
            [2] (Eq. 14); None, the default, for all.
        standardized: whether lambda is measured in deviations of the flow's
            learned priors, another threat at the same radius; default False,
            raw latents.
        restarts: per sample a successful one counts, else that of the
            highest loss; default 1.
        random_start: whether to start at random in both balls rather than at
            the image, default True.
        targeted: whether labels are targets, default False.

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
    def search(self) -> Ascent:
        latent = Latent(self.flow, self.latent, self.levels, self.standardized)
        return Ascent(
            Joint(latent, Pixels(self.pixels)),
            steps=self.steps,
            restarts=self.restarts,
            random_start=self.random_start,
            targeted=self.targeted,
        )
