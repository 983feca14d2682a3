"""The speeds of training and of attacks."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from ijsat_tf.evaluation.page.elements import (
    Datum,
    Element,
    Line,
    data_table,
    element,
)
from ijsat_tf.evaluation.page.runs import Run


def speeds(runs: Sequence[Run]) -> Element:
    """Returns a table of images/s, in training and under each attack.

    The speed of training is the median over epochs.

    Args:
        runs: Runs, one per row. There is one column per attack that any run
            has a record of.
    """
    names = list(dict.fromkeys(name for run in runs for name in run.records))
    lines = [
        Line(
            Datum.text(run.name),
            [_training(run), *(_attack(run, name) for name in names)],
        )
        for run in runs
    ]
    caption = (
        element("strong", "Images per second."),
        " Training is the median over the epochs of log.csv. Attacks are "
        "without the batches that traced the graph. Each was measured where, "
        "and beside what, it ran.",
    )
    columns = [(heading,) for heading in ("Run", "Training", *names)]
    return data_table("speeds", caption, columns, [lines])


def _training(run: Run) -> Datum:
    return _datum(statistics.median(run.speeds) if run.speeds else math.nan)


def _attack(run: Run, name: str) -> Datum:
    if name not in run.records:
        return Datum.none("not run")
    return _datum(run.records[name].images_per_second)


def _datum(speed: float) -> Datum:
    if not math.isfinite(speed):
        return Datum.none("not timed")
    digits = 0 if speed >= 100 else 2
    return Datum.number(f"{speed:,.{digits}f}", speed)
