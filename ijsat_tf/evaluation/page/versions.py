"""The versions of libraries that made the records."""

from __future__ import annotations

import collections
from collections.abc import Sequence

from ijsat_tf.evaluation.page.elements import (
    Datum,
    Element,
    Line,
    data_table,
    element,
)
from ijsat_tf.evaluation.page.runs import Run


def made_by(runs: Sequence[Run]) -> dict[str, collections.Counter[str]]:
    """Returns {versions: {name of a run: number of its records}}.

    Args:
        runs: Runs of the page.
    """
    found = collections.defaultdict(collections.Counter)
    for run in runs:
        for record in run.records.values():
            found[record.versions or "unknown"][run.name] += 1
    return found


def versions(runs: Sequence[Run]) -> Element:
    """Returns a table with one row per set of versions.

    Args:
        runs: Runs of the page.
    """
    found = made_by(runs)
    if not found:
        return element("p", "No record, and so no versions.")
    lines = [
        Line(
            Datum.text(texts),
            [
                Datum.number(str(count.total()), count.total()),
                Datum.text(", ".join(count)),
            ],
        )
        for texts, count in found.items()
    ]
    caption = (element("strong", "What made the records."),)
    columns = [("Versions",), ("Records",), ("Runs",)]
    return data_table("made-by", caption, columns, [lines])
