"""The warnings for readers of a page."""

from __future__ import annotations

from collections.abc import Sequence

from ijsat_tf.evaluation.page.accuracies import doubts
from ijsat_tf.evaluation.page.checked import Found, failed
from ijsat_tf.evaluation.page.elements import Child, element
from ijsat_tf.evaluation.page.runs import Run
from ijsat_tf.evaluation.page.versions import made_by
from ijsat_tf.evaluation.tables import Table


def warned(
    runs: Sequence[Run], table: Table | None, checks: Found
) -> list[list[Child]]:
    """Returns the warnings of a page, one line each.

    They are of records that cannot be compared, are not complete, cannot be
    read, or were made by different versions, and of checks that failed.

    Args:
        runs: Runs of the page.
        table: Table of all records, at the anchor "records"; None where there
            are no records.
        checks: Checks {name of a run: its checks}, as `all_checks` returned
            them.
    """
    found = list(doubts("records", table)) if table else []
    found += failed(checks)
    found += [[warning] for run in runs for warning in run.warnings]
    if len(made_by(runs)) > 1:
        link = element("a", "versions", href="#versions")
        found.append(["Records were made by different ", link, "."])
    return found
