"""What speaks for the numbers of a page, and what against them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ijsat_tf.evaluation.check import Check
from ijsat_tf.evaluation.page.elements import (
    Child,
    Datum,
    Element,
    Line,
    data_table,
    element,
)
from ijsat_tf.evaluation.page.runs import Run
from ijsat_tf.evaluation.soundness import record_checks

Found = Mapping[str, Sequence[Check]]


def all_checks(runs: Sequence[Run]) -> dict[str, list[Check]]:
    """{name of a run: the checks of its records, and those of its model}.

    Args:
        runs: those without records are left out.
    """
    return {
        run.name: [*record_checks(run.records), *run.checks]
        for run in runs
        if run.records
    }


def checks_table(found: Found) -> Element:
    """A row a check and run.

    Args:
        found: what `all_checks` returned.
    """
    lines = [
        Line(
            Datum.text(name),
            [
                Datum((check.verdict,), check.verdict, _kind(check)),
                Datum.text(check.name),
                Datum.text(check.detail),
            ],
        )
        for name, checks in found.items()
        for check in checks
    ]
    caption = (
        element("strong", "Do the numbers say what they seem to?"),
        " Attacks that are weaker where they should be stronger are signs of "
        "masked gradients: the network then hides its errors, and more robust "
        "numbers are no more robustness. eval/main.py --checks also asks the "
        "network and the flow themselves.",
    )
    columns = [("Run",), ("Verdict",), ("Check",), ("Found",)]
    return data_table("checked", caption, columns, [lines])


def failed(found: Found) -> Iterator[list[Child]]:
    """A warning for each run with checks that failed.

    Args:
        found: what `all_checks` returned.
    """
    for name, checks in found.items():
        count = sum(check.passed is False for check in checks)
        if count:
            what = "check" if count == 1 else "checks"
            link = element("a", f"{count} {what}", href="#checked")
            yield [f"{name} failed ", link, "."]


def _kind(check: Check) -> str:
    kinds = {True: "", False: "failed"}
    return kinds.get(check.passed, "none")
