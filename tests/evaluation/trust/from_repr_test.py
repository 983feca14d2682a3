"""Attacks and their radii, read back from what records say of them."""

import numpy as np
import pytest

from ijsat_tf import attacks, spaces
from ijsat_tf.attacks import by_name
from ijsat_tf.evaluation import evaluate
from ijsat_tf.evaluation.trust.from_repr import attack_from_repr
from tests import tiny

PIXELS, LATENT = spaces.Linf(8 / 255, step=2 / 255), spaces.Linf(0.02)
# The radii by space, with the settings above and the budgets of digits.
NAMES = {
    "fgsm": {"pixels": 8 / 255},
    "pgd20": {"pixels": 8 / 255},
    "mia5": {"pixels": 8 / 255},
    "om_pgd5": {"latent": 0.02},
    "jsa5": {"latent": 0.02, "pixels": 8 / 255},
    "apgd": {"pixels": 8 / 255},
    "square": {"pixels": 8 / 255},
    "autoattack": {"pixels": 8 / 255},
    "worst_of5": {
        "fgsm: pixels": 8 / 255,
        "pgd: pixels": 8 / 255,
        "momentumpgd: pixels": 8 / 255,
    },
    "elastic": {"elastic": 0.25},
    "jpeg": {"jpeg": 1.0},
    "l2": {"pixels": 0.5},
    "fog": {"fog": 128.0},
    "snow": {"snow": 1.0},
    "gabor": {"gabor": 128.0},
    "stadv5": {"stadv": 0.1},
    "recolor5": {"recolor": 0.1},
    "rotate_translate": {"rotation": 30.0, "translation": 1.0},
    "rotate_translate_grid": {"rotation": 30.0, "translation": 1.0},
    "autoattack_l2": {"pixels": 0.5},
    "ppgd5": {"perceptual": 0.5},
    "lpa5": {"perceptual": 0.5},
}


def _attack(name, flow):
    return by_name(name, PIXELS, LATENT, flow, dataset="digits")


@pytest.mark.parametrize("name", NAMES)
def test_attacks_are_read_back_with_their_radii(name, flow):
    attack = _attack(name, flow)
    found = attack_from_repr(repr(attack))
    assert type(found) is type(attack)
    assert found.radii == attack.radii == NAMES[name]
    if name not in ("om_pgd5", "jsa5"):
        assert found == attack
    else:
        assert found.steps == 5 and found.space.name


def test_a_space_may_have_the_name_of_an_attack():
    joint = spaces.Joint(spaces.Elastic(0.5, kernel=3), spaces.Pixels(PIXELS))
    inside = attacks.PGD(joint, steps=3)
    assert attack_from_repr(repr(inside)) == inside
    assert inside.radii == {"elastic": 0.5, "pixels": 8 / 255}
    worst = attacks.WorstOf([attacks.Elastic(0.5), attacks.PGD(PIXELS), inside])
    assert attack_from_repr(repr(worst)) == worst
    assert list(worst.radii) == [
        "elastic: elastic",
        "pgd: pixels",
        "pgd2: elastic",
        "pgd2: pixels",
    ]


def test_other_spaces_have_a_second_number():
    twice = spaces.Joint(PIXELS, spaces.L2(0.5))
    assert attacks.PGD(twice).radii == {"pixels": 8 / 255, "pixels2": 0.5}


def test_balls_of_pixels():
    assert attacks.PGD(PIXELS).pixel_ball == PIXELS
    assert attacks.FAB(spaces.L2(0.5)).pixel_ball.radius == 0.5
    assert attacks.JPEG(0.5).pixel_ball is None


def test_perceptual_bounds():
    hard, soft = attacks.LagrangePerceptual, attacks.FastLagrangePerceptual
    assert attack_from_repr(repr(hard(0.3))).radii == {"perceptual": 0.3}
    assert attack_from_repr(repr(soft(0.3))).radii == {}


@pytest.mark.parametrize(
    "text",
    [
        "standard",
        "Attack('pgd20')",
        "PGD(",
        "PGD(Linf(-1))",
        "PGD(Linf(0.1), speed=3)",
        "Linf(0.1)",
        "__import__('os').system('false')",
        "annotations('x')",
        "jsa(1)",
        "PGD(print('x'))",
        "PGD(Linf(radius=open('/dev/null')))",
    ],
)
def test_nothing_else_is_made(text, capsys):
    assert attack_from_repr(text) is None
    assert not capsys.readouterr().out


@pytest.mark.sampled
@pytest.mark.parametrize("name", ["jsa2", "worst_of2", "square", "stadv2"])
def test_radii_have_the_names_of_budgets(name, flow, classifier):
    """And records are found to keep them, from their files alone."""
    from ijsat_tf.evaluation import record_checks

    attack = _attack(name, flow)
    if name == "square":
        attack = attacks.Square(PIXELS, queries=5)
    data = tiny.random_images(4), np.arange(4) % 3
    found = evaluate(classifier, data, {name: attack}, verbose=False)
    assert set(found[name].budget) == set(attack.radii)
    for space, used in found[name].budget.items():
        assert used.max() <= attack.radii[space] + 1e-6
    budgets = record_checks(found)[2]
    assert budgets.passed and budgets.detail.startswith(
        {"jsa2": "2 norms", "worst_of2": "3 norms", "square": "2 norms"}.get(
            name, "1 norm"
        )
    )
