"""The radii of attacks in each space, named as in their result's budget."""

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
    """Returns the largest norms that the changes of an attack may have.

    Args:
        attack: Any attack.

    Returns:
        The radius of each space, in a dict with the names of
        `AttackResult.budget`; empty for an attack that is not of this library.
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
    """Returns the ball of pixels around the image that an attack stays in.

    Args:
        attack: Any attack, or None.

    Returns:
        The ball, or None for an attack that does not stay in such a ball.
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
                # `Joint.measure` numbers spaces of the same name like this.
                found[f"{name}{len(found) + 1}" if again else name] = radius
        return found
    if isinstance(space, (Latent, Pixels)):
        return {space.name: space.ball.radius}
    if isinstance(space, Transform):
        return {space.name: space.budget}
    return {}
