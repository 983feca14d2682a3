"""The base of attacks that stay in one ball of pixels and own their loop."""

from __future__ import annotations

from ijsat_tf import checks
from ijsat_tf.attacks.attack import Attack
from ijsat_tf.spaces import L1, L2, Ball, Linf
from ijsat_tf.types import value


@value
class BallAttack(Attack):
    """An attack on the pixels, in an `Linf`, `L2` or `L1` ball.

    Args:
        ball: Ball of the pixels, e.g. `Linf(8 / 255)`.

    Raises:
        ValueError: for another ball.
    """

    ball: Ball

    def __post_init__(self):
        super().__post_init__()
        checks.require(
            isinstance(self.ball, (Linf, L2, L1)),
            f"`ball` of {type(self).__name__} must be Linf(radius), "
            "L2(radius) or L1(radius); use PGD for other spaces.",
            repr(self.ball),
        )

    @property
    def radii(self) -> dict[str, float]:
        return {"pixels": self.ball.radius}

    @property
    def pixel_ball(self) -> Ball:
        return self.ball
