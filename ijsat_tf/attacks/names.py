"""Attacks by the names that tables give them."""

from __future__ import annotations

import re
from typing import Any

from ijsat_tf import checks
from ijsat_tf.attacks.attack import Attack
from ijsat_tf.attacks.jsa import JointSpaceAttack
from ijsat_tf.attacks.pgd import FGSM, PGD, MomentumPGD, OnManifoldPGD
from ijsat_tf.spaces import Ball

_ATTACKS = {
    "fgsm": lambda given, **steps: FGSM(given["pixels"]),
    "pgd": lambda given, **steps: PGD(given["pixels"], **steps),
    "mia": lambda given, **steps: MomentumPGD(given["pixels"], **steps),
    "om_pgd": lambda given, **steps: OnManifoldPGD(
        given["flow"], given["latent"], levels=given["levels"], **steps
    ),
    "jsa": lambda given, **steps: JointSpaceAttack(
        given["flow"],
        given["pixels"],
        given["latent"],
        levels=given["levels"],
        **steps,
    ),
}
ON_MANIFOLD = ("om_pgd", "jsa")


def by_name(
    name: str,
    pixels: Ball,
    latent: Ball | None = None,
    flow: Any = None,
    levels: tuple[int, ...] | None = None,
) -> Attack:
    """The attack that a name such as "pgd20" or "jsa50" stands for.

    Args:
        name: fgsm, pgd, mia, om_pgd or jsa, and the number of steps.
        pixels: ball of the image space, e.g. `Linf(8 / 255)`.
        latent: ball of the latent space.
        flow: the generator of om_pgd and jsa.
        levels: the flow's levels that may change, None for all.

    Raises:
        ValueError: for an unknown name, or an attack without its flow.
    """
    family, digits = re.fullmatch(r"(.*?)(\d*)", name).groups()
    checks.require(
        family in _ATTACKS
        and digits != "0"
        and not (family == "fgsm" and digits),
        f"Unknown attack; choose among {', '.join(_ATTACKS)}, with a number "
        "of steps such as pgd20.",
        repr(name),
    )
    checks.require(
        family not in ON_MANIFOLD or flow is not None,
        f"The attack {name} needs a flow: train one, and pass it along.",
    )
    given = {
        "pixels": pixels,
        "latent": latent,
        "flow": flow,
        "levels": levels,
    }
    steps = {"steps": int(digits)} if digits else {}
    return _ATTACKS[family](given, **steps)
