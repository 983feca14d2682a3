"""The stages of AutoAttack by the names that its authors use."""

from __future__ import annotations

from ijsat_tf import checks
from ijsat_tf.attacks.attack import Attack
from ijsat_tf.attacks.autoattack.apgd import APGD
from ijsat_tf.attacks.autoattack.fab import FAB
from ijsat_tf.attacks.autoattack.square import Square
from ijsat_tf.spaces import L1, Ball

VERSIONS = {
    "standard": ("apgd-ce", "apgd-t", "fab-t", "square"),
    "plus": ("apgd-ce", "apgd-dlr", "fab", "square", "apgd-t", "fab-t"),
    "rand": ("apgd-ce", "apgd-dlr"),
}

# Each stage is made from a ball, restarts and gradient samples; targeted stages
# have one restart per target in every version.
_STAGES = {
    "apgd-ce": lambda ball, restarts, samples: APGD(
        ball, "ce", restarts=restarts, gradient_samples=samples
    ),
    "apgd-dlr": lambda ball, restarts, samples: APGD(
        ball, "dlr", restarts=restarts, gradient_samples=samples
    ),
    "apgd-t": lambda ball, restarts, samples: APGD(ball, "targeted"),
    "fab": lambda ball, restarts, samples: FAB(
        ball, targeted=False, restarts=restarts
    ),
    "fab-t": lambda ball, restarts, samples: FAB(ball),
    "square": lambda ball, restarts, samples: Square(ball),
}

# In an L1 ball the versions "standard" and "custom" search longer.
_L1_STAGES = {
    "apgd-ce": lambda ball: APGD(ball, "ce", restarts=5, larger_radii=True),
    "apgd-dlr": lambda ball: APGD(ball, "dlr", restarts=5, larger_radii=True),
    "apgd-t": lambda ball: APGD(ball, "targeted", targets=5, larger_radii=True),
}


def stages(
    ball: Ball, version: str, names: tuple[str, ...] | None
) -> dict[str, Attack]:
    """The attacks of a version by name, in the order of the version.

    The version "plus" has five restarts, the other versions have one; "rand"
    has twenty gradient samples, the other versions have one. Targeted stages
    and Square always have one restart. In an L1 ball the versions "standard"
    and "custom" have five restarts of untargeted APGD, five targets of
    targeted APGD, and larger radii for both.

    Args:
        ball: Ball of all stages.
        version: Name of the version: standard, plus, rand or custom.
        names: Names of the stages of the version custom, else None.

    Raises:
        ValueError: for names that are unknown, missing or not expected.
    """
    checks.require(
        version in (*VERSIONS, "custom"),
        f"`version` must be one of {', '.join(VERSIONS)}, custom.",
        repr(version),
    )
    checks.require(
        (names is not None) == (version == "custom"),
        "`attacks` must name the stages if version='custom', and must be left "
        "out for every other version.",
        repr(names),
    )
    if names is None:
        names = VERSIONS[version]
    checks.require(
        isinstance(names, tuple)
        and names
        and set(names) <= set(_STAGES)
        and len(set(names)) == len(names),
        "`attacks` must be a list of different names among "
        f"{', '.join(_STAGES)}.",
        repr(names),
    )
    restarts = 5 if version == "plus" else 1
    samples = 20 if version == "rand" else 1
    found = {name: _STAGES[name](ball, restarts, samples) for name in names}
    if isinstance(ball, L1) and version in ("standard", "custom"):
        longer = {
            name: _L1_STAGES[name] for name in names if name in _L1_STAGES
        }
        found.update({name: make(ball) for name, make in longer.items()})
    return found
