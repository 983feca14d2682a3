"""What made the numbers: the settings of runs, and versions of libraries."""

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
from ijsat_tf.evaluation.paper.entries import short


def settings(runs: Sequence[Run]) -> list[Element]:
    """Returns a table of settings that differ, and one of the others.

    The first table has one row per run, the second one row per setting.

    Args:
        runs: Runs; runs without settings are left out.
    """
    runs = [run for run in runs if run.settings]
    if not runs:
        return [element("p", "No run has a settings.cfg.")]
    names = sorted({name for run in runs for name in run.settings})
    values = {name: [run.settings.get(name) for run in runs] for name in names}
    different = [name for name in names if len(set(values[name])) > 1]
    same = [name for name in names if name not in different]
    parts = []
    if different:
        lines = [
            Line(
                Datum.text(run.name),
                [_datum(run.settings.get(name)) for name in different],
            )
            for run in runs
        ]
        columns = [(heading,) for heading in ("Run", *different)]
        caption = (element("strong", "What differs between runs."),)
        parts.append(data_table("different", caption, columns, [lines]))
    if same:
        lines = [
            Line(Datum.text(name), [_datum(values[name][0])]) for name in same
        ]
        many = len(runs) > 1
        title = "What all runs share." if many else f"Of {runs[0].name}."
        caption = (element("strong", title),)
        columns = [("Setting",), ("Value",)]
        parts.append(
            element(
                "details",
                element(
                    "summary", f"{title.rstrip('.')} ({len(same)} settings)"
                ),
                data_table("shared", caption, columns, [lines]),
            )
        )
    return parts


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


def _datum(value: str | None) -> Datum:
    if value is None:
        return Datum.none("not set")
    return Datum((short(value),), value, "setting")
