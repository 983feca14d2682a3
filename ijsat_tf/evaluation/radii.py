"""How far an attack may go in each space, as its result's budget names it."""

from __future__ import annotations

from ijsat_tf.attacks import (
    APGD,
    FAB,
    Ascent,
    Attack,
    AutoAttack,
    Square,
    WorstOf,
)
from ijsat_tf.attacks.perceptual import PerceptualAttack
from ijsat_tf.spaces import Ball, Joint, Latent, Pixels, Space
from ijsat_tf.spaces.transform import Transform

_IN_A_BALL = APGD, AutoAttack, FAB, Square


def radii(attack: Attack) -> dict[str, float]:
    """The largest norms that an attack's result may have.

    Args:
        attack: any; of one that is not of this library nothing is known.

    Returns:
        {space: radius}, with the names of `AttackResult.budget`.
    """
    if isinstance(attack, WorstOf):
        return {
            f"{name}: {space}": radius
            for name, part in zip(attack.names(), attack.attacks)
            for space, radius in radii(part).items()
        }
    search = attack.search
    if isinstance(search, Ascent):
        return _of_space(search.space)
    if isinstance(search, _IN_A_BALL):
        return {"pixels": search.ball.radius}
    if isinstance(search, PerceptualAttack):
        return {"perceptual": search.bound}
    return {}


def pixel_ball(attack: Attack | None) -> Ball | None:
    """The ball of pixels around the image that an attack stays in, if it is
    one.

    Args:
        attack: any, or None.
    """
    search = None if attack is None else attack.search
    if isinstance(search, Ascent) and isinstance(search.space, Pixels):
        return search.space.ball
    return search.ball if isinstance(search, _IN_A_BALL) else None


def _of_space(space: Space) -> dict[str, float]:
    if isinstance(space, Joint):
        found: dict[str, float] = {}
        for part in space.spaces:
            for name, radius in _of_space(part).items():
                again = name in found
                # As `Joint.measure` numbers them.
                found[f"{name}{len(found) + 1}" if again else name] = radius
        return found
    if isinstance(space, (Latent, Pixels)):
        return {space.name: space.ball.radius}
    if isinstance(space, Transform):
        return {space.name: space.budget}
    return {}
