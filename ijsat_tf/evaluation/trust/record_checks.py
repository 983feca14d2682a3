"""Checks of records, for signs that their numbers overstate robustness."""

from __future__ import annotations

import collections
import dataclasses
import itertools
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ijsat_tf.attacks import APGD, Attack, SpaceAttack, Square
from ijsat_tf.evaluation.records import Record
from ijsat_tf.evaluation.statistics import mcnemar
from ijsat_tf.evaluation.trust.check import Check
from ijsat_tf.evaluation.trust.from_repr import attack_from_repr
from ijsat_tf.spaces import Ball, Linf

_SLACK = 1e-6


class _Column(NamedTuple):
    name: str
    record: Record
    attack: Attack | None

    @property
    def right(self) -> float:
        return 100 * self.record.correct.mean()


def record_checks(
    records: Mapping[str, Record],
    attacks: Mapping[str, Attack] | None = None,
) -> list[Check]:
    """Checks the records of one model, without the model itself.

    An attack is called stronger than another where it leaves fewer images
    right and an exact McNemar test of the two has p < 0.05.

    Args:
        records: Records {column: `Record`}, complete or not.
        attacks: Attacks {column: attack}, as for `evaluate`. For None, the
            default, and for missing columns, the attacks are read from the
            records, which works for the attacks of this library.

    Returns:
        Seven checks. Four check that every sample was evaluated, that one
        version made all records, that no change is larger than its attack
        allows, and that no generator overflowed. Three check for signs of
        masked gradients: that an attack is stronger with fewer steps than
        with more steps, that an attack of one step is stronger than an attack
        of many, and that an attack without gradients (Square) is stronger
        than attacks with gradients.

    Source: Carlini et al., On Evaluating Adversarial Robustness, 2019;
    Athalye et al., Obfuscated Gradients Give a False Sense of Security, 2018.
    """
    given = attacks or {}
    columns = [
        _Column(name, record, given.get(name, attack_from_repr(record.attack)))
        for name, record in records.items()
    ]
    return [
        _samples(columns),
        _versions(columns),
        _budgets(columns),
        _overflows(columns),
        _steps(columns),
        _single_steps(columns),
        _square(columns),
    ]


def _samples(columns: list[_Column]) -> Check:
    name = "every sample was evaluated"
    short = [
        f"{column.name} has {column.record.done:,} of "
        f"{column.record.samples:,} images"
        for column in columns
        if not column.record.complete
    ]
    counts = sorted({column.record.samples for column in columns})
    if len(counts) > 1:
        short.append(
            f"some are of {counts[0]:,} images, some of {counts[-1]:,}"
        )
    of = f"{len(columns)} records of {counts[0]:,} images" if counts else "none"
    return Check(name, not short if columns else None, "; ".join(short) or of)


def _versions(columns: list[_Column]) -> Check:
    made = dict.fromkeys(column.record.versions for column in columns)
    one = len(made) == 1 if made else None
    return Check("one version made all records", one, "; ".join(made) or "none")


def _budgets(columns: list[_Column]) -> Check:
    """Compares norms of changes with the radii of the attacks.

    The norms are the norms that the attack measured and, for an attack in a
    ball of pixels, also the norm that the evaluation measured.
    """
    kept, broken = 0, []
    for name, record, attack in columns:
        allowed = attack.radii if attack else {}
        used = [
            (space, record.budget[space], radius)
            for space, radius in allowed.items()
            if space in record.budget
        ]
        ball = attack.pixel_ball if attack else None
        if ball is not None:
            # An L2 norm is at most the L1 norm, which records do not hold.
            norm = "linf" if isinstance(ball, Linf) else "l2"
            used.append((norm, getattr(record, norm), ball.radius))
        for space, norms, radius in used:
            most = norms.max(initial=0.0)
            if most <= radius + _SLACK * max(1.0, radius):
                kept += 1
            else:
                broken.append(
                    f"{name} has {most:.6g} of {radius:.6g} ({space})"
                )
    told = f"{kept} norms are at most their radius" if kept else "none is known"
    passed = not broken if kept or broken else None
    return Check("budgets are kept", passed, "; ".join(broken) or told)


def _overflows(columns: list[_Column]) -> Check:
    """Checks for overflows, whose samples would count as robust."""
    found = [
        f"{column.name} on {int(column.record.overflowed.sum()):,} of "
        f"{column.record.done:,} images"
        for column in columns
        if column.record.overflowed.any()
    ]
    return Check(
        "no generator overflowed",
        not found if columns else None,
        "; ".join(found) or f"none of {len(columns)} records",
    )


def _steps(columns: list[_Column]) -> Check:
    families = collections.defaultdict(list)
    for column in columns:
        settings = column.attack.get_config() if column.attack else {}
        steps = settings.get("steps")
        if isinstance(steps, int):
            family = repr(dataclasses.replace(column.attack, steps=1))
            families[family].append((steps, column))
    pairs = []
    for family in families.values():
        family.sort(key=lambda one: one[0])
        pairs += [
            (many, few)
            for (less, few), (more, many) in itertools.pairwise(family)
            if more > less
        ]
    return _compared(
        "more steps are not weaker",
        pairs,
        "no two records of an attack with different steps",
    )


def _single_steps(columns: list[_Column]) -> Check:
    pairs = [
        (many, one)
        for one in columns
        if isinstance(one.attack, SpaceAttack) and one.attack.steps == 1
        for many in _searches(columns, one.attack.pixel_ball)
    ]
    return _compared(
        "one step is not stronger than many",
        pairs,
        "no records of FGSM and of a longer attack in the same ball",
    )


def _square(columns: list[_Column]) -> Check:
    pairs = []
    for column in columns:
        if isinstance(column.attack, Square):
            seen = _searches(columns, column.attack.ball)
            if seen:
                pairs.append((min(seen, key=lambda each: each.right), column))
    return _compared(
        "Square is not stronger than gradients",
        pairs,
        "no records of Square and of a gradient attack in the same ball",
    )


def _searches(columns: list[_Column], ball: Ball | None) -> list[_Column]:
    """Returns the gradient attacks that can reach all of a ball of pixels."""
    found = []
    for column in columns:
        own = column.attack.pixel_ball if column.attack else None
        if own is None or ball is None:
            continue
        if (type(own), own.radius) != (type(ball), ball.radius):
            continue
        if isinstance(column.attack, APGD):
            found.append(column)
        elif isinstance(column.attack, SpaceAttack):
            steps = column.attack.steps
            way = steps * own.with_step(steps).step
            # The steps must reach from one border of the ball to the other.
            if steps > 1 and way >= 2 * own.radius:
                found.append(column)
    return found


def _compared(
    name: str, pairs: Iterable[tuple[_Column, _Column]], none: str
) -> Check:
    """Checks that the first of each pair leaves no more images right."""
    passed, told = True, {True: [], False: []}
    for first, second in pairs:
        if first.record.done != second.record.done:
            continue
        rights = first.record.correct, second.record.correct
        chance = mcnemar(*rights)
        fine = bool(first.right <= second.right or chance >= 0.05)
        passed &= fine
        told[fine].append(
            f"{first.name} leaves {first.right:.2f} % right, "
            f"{second.name} {second.right:.2f} %"
            + ("" if fine else f", p = {chance:.2g}")
        )
    if not told[True] and not told[False]:
        return Check(name, None, none)
    return Check(name, passed, "; ".join(told[passed]))
