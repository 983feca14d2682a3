"""Attacks by the names that tables use."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ijsat_tf import checks
from ijsat_tf.attacks.attack import Attack
from ijsat_tf.attacks.autoattack.apgd import APGD
from ijsat_tf.attacks.autoattack.autoattack import AutoAttack
from ijsat_tf.attacks.autoattack.square import Square
from ijsat_tf.attacks.budgets import BUDGETS
from ijsat_tf.attacks.jsa import JointSpaceAttack
from ijsat_tf.attacks.perceptual import LagrangePerceptual, PerceptualPGD
from ijsat_tf.attacks.pgd import FGSM, PGD, MomentumPGD, OnManifoldPGD
from ijsat_tf.attacks.rotate_translate_grid import RotateTranslateGrid
from ijsat_tf.attacks.worst_of import WorstOf
from ijsat_tf.spaces import Ball

ON_MANIFOLD = ("om_pgd", "jsa")
UNSEEN = (
    *("elastic", "jpeg", "l2", "fog", "snow", "gabor"),
    *("stadv", "recolor", "rotate_translate"),
)

_NARROW = ("autoattack", "autoattack_l2", "jpeg100", "stadv100", "recolor100")

# The columns of the paper's tables. table3 also has the worst of its first
# three attacks, which the paper's text reports and its table leaves out.
SETS = {
    "table1": ("pgd20", "autoattack", "jsa50", "elastic", "jpeg", "l2"),
    "table3": (
        "fgsm",
        "pgd50",
        "mia50",
        "worst_of50",
        "om_pgd50",
        "fog",
        "snow",
        "elastic",
        "gabor",
        "jpeg",
        "l2",
    ),
    "table7": ("pgd20", "autoattack", "elastic", "jpeg", "l2"),
    # The columns of Laidlaw et al., Perceptual Adversarial Robustness, 2021,
    # and the narrow threat models among the columns, whose worst is the column
    # "Union". The paper has JPEG for ImageNet-100 alone.
    "pat": (*_NARROW, "ppgd40", "lpa40"),
    "pat_narrow": _NARROW,
}


class _Given(NamedTuple):
    pixels: Ball
    latent: Ball | None
    flow: Any
    levels: tuple[int, ...] | None
    dataset: str


def _worst_of(given: _Given, **steps: int) -> WorstOf:
    parts = "fgsm", "pgd", "mia"
    return WorstOf(
        tuple(
            _ATTACKS[part](given, **({} if part == "fgsm" else steps))
            for part in parts
        )
    )


def _unseen(name: str) -> Callable[..., Attack]:
    def attack(given: _Given, **steps: int) -> Attack:
        checks.require(
            given.dataset in BUDGETS,
            f"There is no budget of {name} for this dataset, only for "
            f"{', '.join(BUDGETS)}; make the attack itself, with your own "
            "budget.",
            repr(given.dataset),
        )
        return dataclasses.replace(BUDGETS[given.dataset][name], **steps)

    return attack


def _autoattack_l2(given: _Given) -> AutoAttack:
    return AutoAttack(_unseen("l2")(given).ball)


def _rotate_translate_grid(given: _Given) -> RotateTranslateGrid:
    bounds = _unseen("rotate_translate")(given).radii
    return RotateTranslateGrid(**bounds)


def _fgsm(given: _Given) -> Attack:
    return BUDGETS.get(given.dataset, {}).get("fgsm", FGSM(given.pixels))


_ATTACKS: dict[str, Callable[..., Attack]] = {
    "fgsm": _fgsm,
    "pgd": lambda given, **steps: PGD(given.pixels, **steps),
    "mia": lambda given, **steps: MomentumPGD(given.pixels, **steps),
    "om_pgd": lambda given, **steps: OnManifoldPGD(
        given.flow, given.latent, levels=given.levels, **steps
    ),
    "jsa": lambda given, **steps: JointSpaceAttack(
        given.flow, given.pixels, given.latent, levels=given.levels, **steps
    ),
    "apgd": lambda given, **steps: APGD(given.pixels, **steps),
    "square": lambda given: Square(given.pixels),
    "autoattack": lambda given: AutoAttack(given.pixels),
    "autoattack_l2": _autoattack_l2,
    "ppgd": lambda given, **steps: PerceptualPGD(**steps),
    "lpa": lambda given, **steps: LagrangePerceptual(**steps),
    "worst_of": _worst_of,
    **{name: _unseen(name) for name in UNSEEN},
    "rotate_translate_grid": _rotate_translate_grid,
}
_WITHOUT_STEPS = (
    *("fgsm", "square", "autoattack", "autoattack_l2"),
    "rotate_translate_grid",
)


def expand(names: Sequence[str]) -> list[str]:
    """Replaces names of sets, such as "table1", by the names of the attacks.

    Each name is returned once. "standard" is not an attack and is left out.

    Args:
        names: Names of attacks and sets.

    Returns:
        Names of attacks, in the order of `names`.
    """
    single = [part for name in names for part in SETS.get(name, (name,))]
    return [name for name in dict.fromkeys(single) if name != "standard"]


def by_name(
    name: str,
    pixels: Ball,
    latent: Ball | None = None,
    flow: Any = None,
    levels: tuple[int, ...] | None = None,
    dataset: str = "cifar10",
    steps: int | None = None,
) -> Attack:
    """The attack that a name such as "pgd20" or "jsa50" stands for.

    Args:
        name: Name of the attack: fgsm, pgd, mia, om_pgd, jsa, apgd, square,
            autoattack, autoattack_l2, worst_of (of the first three), elastic,
            jpeg, l2, fog, snow, gabor, stadv, recolor, rotate_translate,
            rotate_translate_grid, ppgd or lpa; followed by the number of steps
            if the attack has steps.
        pixels: Ball of the image space, e.g. `Linf(8 / 255)`.
        latent: Ball of the latent space, for om_pgd and jsa; default None.
        flow: Generator of om_pgd and jsa, default None.
        levels: Numbers of the flow's levels that may change; None, the
            default, stands for all levels.
        dataset: Name of the data set, default "cifar10". The set decides the
            budgets of autoattack_l2 and of the attacks from elastic to
            rotate_translate_grid, see `ijsat_tf.attacks.BUDGETS`. ppgd and lpa
            have a bound of 0.5 in the distance of the classifier's features.
        steps: Number of steps, for an attack that has steps and whose name
            has no number; None, the default, stands for the attack's own
            default.

    Returns:
        An attack.

    Raises:
        ValueError: for an unknown name, an attack without its flow, or a
            dataset without budgets.
    """
    family, digits = re.fullmatch(r"(.*?)(?:_?(\d+))?", name).groups("")
    if name in _ATTACKS:
        # The 2 of l2 is not a number of steps; l2_50 has 50 steps.
        family, digits = name, ""
    checks.require(
        family in _ATTACKS
        and digits != "0"
        and not (digits and family in _WITHOUT_STEPS),
        f"Unknown attack; choose among {', '.join(_ATTACKS)}, with a number "
        "of steps such as pgd20.",
        repr(name),
    )
    checks.require(
        family not in ON_MANIFOLD or flow is not None,
        f"The attack {name} needs a flow; train a flow, or load a preset, and "
        "pass the flow, on the command line by --flow=glow_cifar10_small or "
        "--flow=PATH.",
    )
    given = _Given(pixels, latent, flow, levels, dataset)
    if digits:
        steps = int(digits)
    if steps is None or family in _WITHOUT_STEPS:
        return _ATTACKS[family](given)
    return _ATTACKS[family](given, steps=steps)
