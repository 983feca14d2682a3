"""The answer of a page: which network is the most robust."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ijsat_tf.evaluation.comparability import odd_ones
from ijsat_tf.evaluation.corruption import is_corrupted
from ijsat_tf.evaluation.page.elements import Element, element
from ijsat_tf.evaluation.page.runs import Run
from ijsat_tf.evaluation.statistics import (
    difference_interval,
    interval,
    mcnemar,
)

_Line = tuple[Element | str, ...]


def answer(
    runs: Sequence[Run], failed: Mapping[str, int] | None = None
) -> list[Element]:
    """Returns paragraphs that tell which network is the most robust, and why.

    An image counts as right if the network is right in each record that all
    runs have of the image, attacked or not. A network that failed a check is
    never called the most robust.

    Args:
        runs: Runs; runs without records are left out.
        failed: Number of checks that each run failed, {name: number}; None,
            the default, for none.
    """
    return [element("p", *line) for line in _lines(runs, failed or {})]


def _lines(runs: Sequence[Run], failed: Mapping[str, int]) -> list[_Line]:
    runs = [run for run in runs if run.records]
    if not runs:
        return [("No run has a record yet, so there is no answer.",)]
    compared = _compared(runs)
    attacks = [
        name for name in compared if runs[0].records[name].attack != "standard"
    ]
    if not attacks:
        link = element("a", "accuracies", href="#records")
        return [
            (
                "The runs share no attack whose records are complete and "
                "comparable, so no network can be called the most robust. The "
                "footnotes of the ",
                link,
                " tell what is missing or differs.",
            )
        ]
    right = {
        run.name: np.all([run.records[name].correct for name in compared], 0)
        for run in runs
    }
    every = dict.fromkeys(name for run in runs for name in run.records)
    unmoved = [
        run.name
        for run in runs
        if right[run.name].any()
        and "standard" in compared
        and np.array_equal(right[run.name], run.records["standard"].correct)
    ]
    return [
        *_verdict(right, failed),
        *map(_unmoved, unmoved),
        (_how(compared, len(every) - len(compared)),),
    ]


def _compared(runs: Sequence[Run]) -> list[str]:
    """Returns the records of images as they are, and attacked, to compare.

    All runs have these records, which are complete and comparable.
    """
    shared = [
        name
        for name in runs[0].records
        if all(
            name in run.records
            and run.records[name].complete
            and not is_corrupted(name, run.records[name])
            for run in runs
        )
    ]
    cells = [
        (run.name, name, run.records[name]) for run in runs for name in shared
    ]
    odd = {each.column for each in odd_ones(cells)}
    return [name for name in shared if name not in odd]


def _unmoved(name: str) -> _Line:
    return (
        "No attack turned a right answer of ",
        element("strong", name),
        " into an error. A network whose gradients are zero looks the same: "
        "the checks of eval/main.py --checks tell the difference.",
    )


def _verdict(
    right: dict[str, np.ndarray], failed: Mapping[str, int]
) -> list[_Line]:
    """Returns the lines on the first network, and on the next one.

    Args:
        right: Whether a network is right on each image, {name: (N,) bool}.
        failed: Number of checks that each network failed, {name: number}.
    """
    # Sorting keeps the order of equally robust networks.
    names = sorted(right, key=lambda name: -right[name].mean())
    best = right[names[0]]
    told = (
        f"right on {_percent(best)} of {len(best):,} test images under the "
        "worst of the attacks."
    )
    name = element("strong", names[0])
    if len(names) == 1:
        only = "Only ", name, " has records, so nothing can be compared. It is "
        return [(*only, told)]
    leaders = [each for each in names if right[each].mean() == best.mean()]
    if len(leaders) > 1:
        name = element("strong", ", ".join(leaders))
        return [("No network is the most robust: ", name, f" are {told}")]
    second = right[names[1]]
    points = 100 * (best.mean() - second.mean())
    low, high = (100 * each for each in difference_interval(second, best))
    p_value = mcnemar(second, best)
    if p_value < 0.05:
        first = name, f" is the most robust of {len(names)} networks. It is "
        verdict = "explains less than this difference"
    else:
        first = "No network is clearly the most robust. ", name, " leads, "
        verdict = "alone may explain this difference"
    if failed.get(names[0]):
        checks = element("a", "checks", href="#checked")
        told_why = "No network can be called the most robust, because "
        first = told_why, name, " leads and failed ", checks, ". It is "
    pair = "these two networks"
    if len(names) > 2:
        pair += f" of {len(names)} alone"
    return [
        (*first, told),
        (
            f"{names[1]} comes next with {_percent(second)}. The difference "
            f"is {points:.2f} percentage points [{low:.2f}, {high:.2f}].",
        ),
        (
            f"The choice of test images {verdict}: McNemar's exact test of "
            f"{pair} has p = {p_value:.2g}. The test does not tell how much "
            "another training of the same networks would differ.",
        ),
    ]


def _how(compared: Sequence[str], left: int) -> str:
    text = (
        "An image counts as right under the worst of the attacks if the "
        f"network is right in each of these columns: {', '.join(compared)}. "
        "Brackets hold 95 % intervals."
    )
    if left:
        text += (
            f" {left} other {'column' if left == 1 else 'columns'} of the "
            "accuracies did not count, because the records are of corrupted "
            "images, or are not complete and comparable in every run."
        )
    return text


def _percent(right: np.ndarray) -> str:
    low, high = (100 * each for each in interval(right))
    return f"{100 * right.mean():.2f} % [{low:.2f}, {high:.2f}]"
