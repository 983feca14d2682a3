"""The settings of runs, those that differ first."""

from __future__ import annotations

from collections.abc import Sequence

from ijsat_tf.evaluation.entries import short
from ijsat_tf.evaluation.page.elements import (
    Datum,
    Element,
    Line,
    data_table,
    element,
)
from ijsat_tf.evaluation.page.runs import Run


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


def _datum(value: str | None) -> Datum:
    if value is None:
        return Datum.none("not set")
    return Datum((short(value),), value, "setting")
