"""Gradient attacks in the image space and on the manifold."""

from __future__ import annotations

import dataclasses
from typing import Any

from ijsat_tf.attacks.ascent import SpaceAttack
from ijsat_tf.spaces import Ball, Latent, Pixels, Space, as_space
from ijsat_tf.types import value


@value
class FGSM(SpaceAttack):
    """FGSM: one step from the image to the ball's border.

    x^ = clip(x + radius * sign(dL/dx)) in an Linf ball.

    Args:
        ball: Ball of the pixels, e.g. `Linf(8 / 255)`; the ball's own step is
            not used. Another space is accepted too, and its own step is used.
        targeted: Whether labels are target classes, default False.

    Raises:
        ValueError: for settings out of range.

    Source: Goodfellow et al., Explaining and Harnessing Adversarial
    Examples, 2015.
    """

    ball: Ball | Space
    targeted: bool = False
    steps = 1
    random_start = False

    @property
    def space(self) -> Space:
        space = as_space(self.ball)
        if isinstance(space, Pixels):
            # The one step reaches the border, whatever the ball's step is.
            space = Pixels(dataclasses.replace(space.ball, step=None))
        return space


@value
class PGD(SpaceAttack):
    """Projected gradient descent from a random start (Eq. 1).

    Args:
        ball: Ball of the pixels, e.g. `Linf(8 / 255, step=2 / 255)` or
            `L2(0.5)`; another space is accepted too.
        steps: Number of updates, default 20.
        restarts: Number of searches from different starts, default 1. Per
            sample the result is that of a successful search, else that of the
            search with the highest loss.
        targeted: Whether labels are target classes, default False.

    Raises:
        ValueError: for settings out of range.

    Source: Madry et al., Towards Deep Learning Models Resistant to
    Adversarial Attacks, 2018.
    """

    ball: Ball | Space
    steps: int = 20
    restarts: int = 1
    targeted: bool = False

    @property
    def space(self) -> Space:
        return as_space(self.ball)


@value
class MomentumPGD(SpaceAttack):
    """MIA: PGD from the image, along an accumulated gradient.

    g <- momentum * g + gradient / |gradient|_1

    Args:
        ball: Ball of the pixels, e.g. `Linf(8 / 255, step=2 / 255)`; another
            space is accepted too.
        steps: Number of updates, default 20.
        momentum: Decay factor of the accumulated gradient, default 1.
        targeted: Whether labels are target classes, default False.

    Raises:
        ValueError: for settings out of range.

    Source: Dong et al., Boosting Adversarial Attacks with Momentum, 2018.
    """

    ball: Ball | Space
    steps: int = 20
    momentum: float = 1.0
    targeted: bool = False
    random_start = False

    @property
    def space(self) -> Space:
        return as_space(self.ball)


@value
class OnManifoldPGD(SpaceAttack):
    """OM-PGD: x^ = clip(G(z + lambda)), lambda in a ball (Eq. 2).

    Args:
        generator: Network with `decode(latents)`, and with `encode(images)`
            unless latents are given with the data.
        latent: Ball of lambda, e.g. `Linf(0.02, step=0.005)`.
        steps: Number of updates, default 10.
        restarts: Number of searches from different starts, see `PGD`; default
            1.
        levels: Numbers of the flow's levels that may change, from 1; None,
            the default, stands for all levels.
        standardized: Whether lambda is measured in standard deviations of the
            flow's learned priors, default False.
        targeted: Whether labels are target classes, default False.

    Raises:
        ValueError: for settings out of range.

    Source: Lin et al., Dual Manifold Adversarial Robustness, 2020.
    """

    generator: Any
    latent: Ball
    steps: int = 10
    restarts: int = 1
    levels: tuple[int, ...] | None = None
    standardized: bool = False
    targeted: bool = False

    @property
    def space(self) -> Latent:
        return Latent(
            self.generator, self.latent, self.levels, self.standardized
        )
