"""The sizes of the attacks' changes, and the attacks' settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ijsat_tf.evaluation.page.elements import (
    Child,
    Datum,
    Element,
    Line,
    data_table,
    element,
    small,
)
from ijsat_tf.evaluation.page.families import folded
from ijsat_tf.evaluation.page.runs import Run
from ijsat_tf.evaluation.paper.entries import short
from ijsat_tf.evaluation.records import Record

_CHANGES = ("pixels", "latent")
_LEGEND = (
    "δ is the change of pixels and λ that of latents, each in the norm of the "
    "attack's ball; x̂ − x is the whole change of the image, whatever it was "
    "made of, and may be larger than δ. Changes of images are in grey levels "
    "of 255, and in [0, 1] below. Clipped is the share of values that the "
    "attack moved to exactly 0 or 1."
)
# Name of the run, name of the record, and the record.
_Attacked = tuple[str, str, Record]


class Spread(NamedTuple):
    """Mean and maximum of a number per sample."""

    mean: float
    largest: float


def spread(values: np.ndarray | None) -> Spread | None:
    """Returns the mean and the maximum of values, or None for no values.

    Args:
        values: Values (N,) of a record; None where nothing was measured.
    """
    if values is None or not len(values):
        return None
    return Spread(float(np.mean(values, dtype=np.float64)), float(values.max()))


def threat_models(runs: Sequence[Run]) -> list[Element]:
    """Returns tables of the attacks' changes and settings, one pair a family.

    Args:
        runs: Runs; their clean records are left out.
    """
    attacked = [
        (record, (run.name, name, record))
        for run in runs
        for name, record in run.records.items()
        if record.attack != "standard"
    ]
    if not attacked:
        return [element("p", "No attack left a record.")]
    return [element("p", _LEGEND), *folded(attacked, _tables)]


def _tables(family: str, items: list[_Attacked]) -> list[Element]:
    return [
        _changes(f"changes-{family}", items),
        _attacks(f"attacks-{family}", items),
    ]


def _changes(key: str, items: list[_Attacked]) -> Element:
    lines = [
        Line(Datum.text(run), _data(name, record))
        for run, name, record in items
    ]
    others = any(line.cells[-1].children for line in lines)
    if not others:
        lines = [line._replace(cells=line.cells[:-1]) for line in lines]
    columns = [
        ("Run",),
        ("Attack",),
        ("Images",),
        *(
            (*norm, element("br"), small(of))
            for norm in _norms()
            for of in ("mean", "max")
        ),
        ("Clipped",),
        *([("Other spaces",)] if others else []),
    ]
    caption = (element("strong", "What the attacks changed."),)
    return data_table(key, caption, columns, [lines])


def _attacks(key: str, items: list[_Attacked]) -> Element:
    found: dict[tuple[str, str], list[str]] = {}
    for run, name, record in items:
        found.setdefault((name, short(record.attack)), []).append(run)
    lines = [
        Line(Datum.text(name), [Datum.text(attack), Datum.text(", ".join(who))])
        for (name, attack), who in found.items()
    ]
    caption = (element("strong", "The attacks, with their budgets."),)
    columns = [("Attack",), ("Settings",), ("Runs",)]
    return data_table(key, caption, columns, [lines])


def _data(name: str, record: Record) -> list[Datum]:
    images = f"{record.done:,}"
    if not record.complete:
        images += f" of {record.samples:,}"
    others = [
        small(f"{space}: mean {used.mean:.4g}, max {used.largest:.4g}")
        for space, values in record.budget.items()
        if space not in _CHANGES and (used := spread(values))
    ]
    return [
        Datum.text(name),
        Datum.number(images, record.done),
        *_pair(spread(record.budget.get("pixels")), _grey),
        *_pair(spread(record.budget.get("latent")), _plain),
        *_pair(spread(record.linf), _grey),
        *_pair(spread(record.l2), _grey),
        _share(spread(record.clipped)),
        Datum(tuple(others), kind="spaces"),
    ]


def _norms() -> list[tuple[Child, ...]]:
    return [
        ("|δ|",),
        ("|λ|",),
        ("|x̂ − x|", element("sub", "∞")),
        ("|x̂ − x|", element("sub", "2")),
    ]


def _pair(found: Spread | None, shown: Callable[[float], Datum]) -> list[Datum]:
    return [Datum.none()] * 2 if found is None else list(map(shown, found))


def _grey(value: float) -> Datum:
    return Datum.number(f"{255 * value:.2f}", value, small(f"{value:.4f}"))


def _plain(value: float) -> Datum:
    return Datum.number(f"{value:.4g}", value)


def _share(found: Spread | None) -> Datum:
    if found is None:
        return Datum.none()
    largest = small(f"max {100 * found.largest:.2f} %")
    return Datum.number(f"{100 * found.mean:.2f} %", found.mean, largest)
