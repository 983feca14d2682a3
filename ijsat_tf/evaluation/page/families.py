"""Families of attacks, by which the long tables of a page fold."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from ijsat_tf.evaluation.page.elements import Element, element
from ijsat_tf.evaluation.records import Record

Item = TypeVar("Item")

# By the class that the printed call of a record's attack begins with.
_FAMILIES = {
    "pixels": "FGSM PGD MomentumPGD APGD FAB Square AutoAttack",
    "distance": "CarliniWagner DeepFool FastMinimumNorm",
    "manifold": "OnManifoldPGD JointSpaceAttack",
    "unseen": "Elastic JPEG Fog Snow Gabor StAdv ReColor RotateTranslate "
    "RotateTranslateGrid",
    "perceptual": "FastLagrangePerceptual LagrangePerceptual PerceptualPGD",
}
_TITLES = {
    "pixels": "Attacks in a ball of pixels",
    "distance": "Attacks of least distance",
    "manifold": "Attacks on the manifold and in the joint space",
    "unseen": "Unseen attacks",
    "perceptual": "Perceptual attacks",
    "others": "Other attacks",
}


def family(record: Record) -> str:
    """Returns the family of a record's attack, a short word.

    Args:
        record: Record of an attack. An attack that is not known here is of the
            family "others".
    """
    name = record.attack.partition("(")[0]
    for key, names in _FAMILIES.items():
        if name in names.split():
            return key
    return "others"


def folded(
    items: Iterable[tuple[Record, Item]],
    shown: Callable[[str, list[Item]], list[Element]],
) -> list[Element]:
    """Returns one part per family that opens and closes, without a script.

    Args:
        items: Items, each with the record of its attack.
        shown: Function from the family and its items to what the part holds.

    Returns:
        The parts, in the order of the families. A family that is alone is
        open.
    """
    found: dict[str, list[Item]] = {key: [] for key in _TITLES}
    attacks: dict[str, set[str]] = {key: set() for key in _TITLES}
    for record, item in items:
        found[family(record)].append(item)
        attacks[family(record)].add(record.attack)
    found = {key: each for key, each in found.items() if each}
    return [
        element(
            "details",
            element("summary", f"{_TITLES[key]} ({len(attacks[key])})"),
            *shown(key, each),
            open="open" if len(found) == 1 else "",
        )
        for key, each in found.items()
    ]
