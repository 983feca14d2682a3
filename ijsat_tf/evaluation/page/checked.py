"""The checks of the numbers of a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ijsat_tf.evaluation.page.elements import (
    Child,
    Datum,
    Element,
    Line,
    data_table,
    element,
    small,
)
from ijsat_tf.evaluation.page.runs import Run
from ijsat_tf.evaluation.trust.check import Check
from ijsat_tf.evaluation.trust.record_checks import record_checks

Found = Mapping[str, Sequence[Check]]


def all_checks(runs: Sequence[Run]) -> dict[str, list[Check]]:
    """Returns {name of a run: checks of its records, then of its model}.

    Args:
        runs: Runs; runs without records are left out.
    """
    return {
        run.name: [*record_checks(run.records), *run.checks]
        for run in runs
        if run.records
    }


def checks_table(found: Found) -> Element:
    """Returns a table of checks, one row per check, one column per run.

    Args:
        found: Checks {name of a run: its checks}, as `all_checks` returned
            them.
    """
    names = dict.fromkeys(
        check.name for checks in found.values() for check in checks
    )
    verdicts = {
        run: {check.name: check for check in checks}
        for run, checks in found.items()
    }
    lines = [
        Line(
            Datum.text(name),
            [_datum(of_run.get(name)) for of_run in verdicts.values()],
        )
        for name in names
    ]
    caption = (
        element("strong", "Do the numbers say what they seem to?"),
        " Attacks that are weaker where they should be stronger are signs of "
        "masked gradients: the network then hides its errors, and more robust "
        "numbers are no more robustness. `ijsat_tf.evaluation.model_checks` "
        "and eval/main.py --checks also ask the network and the flow.",
    )
    columns = [(heading,) for heading in ("Check", *found)]
    return data_table("checked", caption, columns, [lines])


def failures(found: Found) -> dict[str, int]:
    """Returns {name of a run: number of checks that failed}.

    Args:
        found: Checks {name of a run: its checks}, as `all_checks` returned
            them.
    """
    return {
        name: sum(check.passed is False for check in checks)
        for name, checks in found.items()
    }


def failed(found: Found) -> Iterator[list[Child]]:
    """Yields a warning for each run with checks that failed.

    Args:
        found: Checks {name of a run: its checks}, as `all_checks` returned
            them.
    """
    for name, count in failures(found).items():
        if count:
            what = "check" if count == 1 else "checks"
            link = element("a", f"{count} {what}", href="#checked")
            yield [f"{name} failed ", link, "."]


def _datum(check: Check | None) -> Datum:
    if check is None:
        return Datum.none("not asked")
    kind = {True: "setting", False: "setting failed"}
    return Datum(
        (check.verdict, small(check.detail)),
        check.verdict,
        kind.get(check.passed, "setting none"),
    )
