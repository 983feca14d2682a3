"""What APGD, FAB, Square and AutoAttack have in common: a ball of pixels."""

import numpy as np
import pytest

from ijsat_tf.attacks import APGD, FAB, AutoAttack, Square
from ijsat_tf.spaces import L1, L2, Fog, Linf, Pixels

ATTACKS = [APGD, FAB, Square, AutoAttack]


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_ball_is_a_ball_of_pixels_and_nothing_else(attack):
    for ball in (Linf(0.1), L2(0), L1(12)):
        assert attack(ball).pixel_ball == ball
        assert attack(ball).radii == {"pixels": ball.radius}
    for other in (0.1, None, Linf, Pixels(Linf(0.1)), Fog(1.0)):
        with pytest.raises(
            ValueError, match=f"`ball` of {attack.__name__} must be Linf"
        ):
            attack(other)


@pytest.mark.parametrize(
    ("attack", "count"),
    [(attack, count) for attack in ATTACKS[:3] for count in attack.counts],
)
def test_counts_are_whole_numbers_of_at_least_one(attack, count):
    assert getattr(attack(Linf(0.1), **{count: np.int64(3)}), count) == 3
    for wrong in (0, -1, 2.5, "3"):
        with pytest.raises(ValueError, match=f"`{count}`"):
            attack(Linf(0.1), **{count: wrong})
