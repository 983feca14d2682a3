"""The contents of a page about runs, in order."""

from __future__ import annotations

import os
import pathlib
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence

from ijsat_tf import checks
from ijsat_tf.evaluation.figures.accuracies import accuracy_chart
from ijsat_tf.evaluation.page.accuracies import accuracy_table, doubts
from ijsat_tf.evaluation.page.answer import answer
from ijsat_tf.evaluation.page.checked import (
    Found,
    all_checks,
    checks_table,
    failed,
    failures,
)
from ijsat_tf.evaluation.page.document import document, gallery
from ijsat_tf.evaluation.page.elements import Child, Element, element, section
from ijsat_tf.evaluation.page.runs import Run
from ijsat_tf.evaluation.page.settings import made_by, settings, versions
from ijsat_tf.evaluation.page.speed import speeds
from ijsat_tf.evaluation.page.threat import threat_models
from ijsat_tf.evaluation.paper import as_printed
from ijsat_tf.evaluation.paper.entries import Runs
from ijsat_tf.evaluation.paper.tables import (
    Table,
    paper_tables,
    records_table,
    row_names,
)
from ijsat_tf.evaluation.records import Record

_CHART = "Accuracy of each run under each attack, as in the table below"


def to_html(
    runs: Sequence[Run],
    pictures: Mapping[str, str | os.PathLike] | None = None,
    note: str = "",
) -> str:
    """Returns an HTML page about runs, which needs no network.

    The page tells which network is the most robust, and shows warnings,
    accuracies, also beside the paper's, pictures, checks, what attacks
    changed, speed, settings and versions. The same runs give the same page,
    to the byte.

    Args:
        runs: Runs with different names. A run whose name is a row of one of
            the paper's tables, or a row and a seed, such as `ijsat-0`, is also
            shown in that table, if the run was trained on the table's data
            set, or has no settings that tell its data set. Of several seeds,
            the first one given is shown.
        pictures: Pictures {caption: path of a PNG file}, shown before the
            runs' own; None, the default, for no further pictures.
        note: Line below the title, such as a date; default "", for no line.

    Returns:
        Text of the page, in HTML.

    Raises:
        ValueError: for no runs, two runs of one name, a run called
            "difference", or pictures that are not PNG files.
    """
    names = [run.name for run in runs]
    checks.require(
        names and len({*names}) == len(names),
        "`runs` must hold at least one run, and each name once.",
        names,
    )
    found = {run.name: run.records for run in runs if run.records}
    ours = records_table(found) if found else None
    papers = [
        element(
            "details",
            element("summary", table.title),
            accuracy_table(key, table),
        )
        for key, table in _beside_the_paper(runs)
    ]
    shown = {**(pictures or {})}
    for run in runs:
        shown |= run.pictures
    found_checks = all_checks(runs)
    warnings = _warned(runs, ours, found_checks)
    items = [element("li", *warning) for warning in warnings]
    sections = [
        section("answer", "Answer", *answer(runs, failures(found_checks))),
        section(
            "warnings",
            "Warnings",
            element("ul", *items) if items else element("p", "None."),
        ),
        section(
            "accuracies",
            "Accuracies",
            *_chart(found),
            accuracy_table("records", ours, "Run")
            if ours
            else element("p", "No record yet."),
        ),
        *([section("paper", "Beside the paper", *papers)] if papers else []),
        section(
            "pictures",
            "Pictures",
            gallery(shown) if shown else element("p", "None."),
        ),
        section(
            "checks",
            "Checks",
            checks_table(found_checks)
            if found_checks
            else element("p", "No record yet."),
        ),
        section("threat", "Threat models", *threat_models(runs)),
        section("speed", "Speed", speeds(runs)),
        section("settings", "Settings", *settings(runs)),
        section("versions", "Versions", versions(runs)),
    ]
    data = sorted({run.settings.get("dataset", "") for run in runs} - {""})
    title = "Runs of " + ", ".join(data) if data else "Runs"
    about = [note] if note else []
    return document(title, [*about, _facts(runs, len(warnings))], sections)


def _chart(found: Runs) -> list[Element]:
    """Returns the chart of accuracies, if a record is complete."""
    records = [each for row in found.values() for each in row.values()]
    if not any(each.complete for each in records):
        return []
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "accuracies.png"
        accuracy_chart(found, path)
        return [gallery({_CHART: path})]


def _beside_the_paper(runs: Sequence[Run]) -> Iterator[tuple[str, Table]]:
    """Yields the paper's tables that have a record, each with its anchor."""
    for number, data in as_printed.DATA.items():
        rows = row_names(number)
        found: dict[str, dict[str, Record]] = {}
        for run in runs:
            row = re.sub(r"-\d+$", "", run.name)
            if row in rows and run.records and _trained_on(run, data):
                found.setdefault(row, run.records)
        for half, table in enumerate(paper_tables(number, found), start=1):
            cells = [
                cell
                for section in table.sections
                for row in section
                for cell in row.cells
            ]
            if any(cell.value is not None or cell.marks for cell in cells):
                yield f"table-{number}-{half}", table


def _trained_on(run: Run, data: str) -> bool:
    """Whether a run was trained on a data set of the paper.

    The prefix "om_" does not count: the images of om_cifar10 are those of
    CIFAR-10, with latents. For a run without settings, the origin of the
    tested images tells, if that is known.
    """
    origins = {record.origin for record in run.records.values()} - {"unknown"}
    told = run.settings.get("dataset") or " ".join(origins) or data
    return data.removeprefix("om_") in re.findall(r"(?:om_)?(\w+)", told)


def _facts(runs: Sequence[Run], warnings: int) -> Element:
    records = [record for run in runs for record in run.records.values()]
    samples = sorted({record.samples for record in records})
    images = " or ".join(f"{each:,}" for each in samples)
    return element(
        "span",
        f"{_count(len(runs), 'run')}, {_count(len(records), 'record')}",
        f" of {images} images; " if records else "; ",
        element("a", _count(warnings, "warning"), href="#warnings"),
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


def _warned(
    runs: Sequence[Run], table: Table | None, checks: Found
) -> list[list[Child]]:
    """Returns the warnings of a page, one line each.

    Warnings are of records that cannot be compared, are not complete, cannot be
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
