"""Tables of the study's results, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import claims
import numpy as np
from kept import Columns, Kept
from plan import MANIFOLD, Run

import ijsat_tf as ij
from ijsat_tf.evaluation.corruption import CELLS
from ijsat_tf.evaluation.formats import grid
from ijsat_tf.evaluation.paper.tables import row_names
from ijsat_tf.evaluation.records import Record


class Results(NamedTuple):
    """The results of all runs that are kept.

    Attributes:
        kept: Results of the runs, {name of a run: its results}.
    """

    kept: dict[str, Kept]

    def of(
        self, run: str, evaluation: str, checkpoint: str = "last"
    ) -> Columns:
        """The records of an evaluation, {} where it was not made.

        The records of the last epoch stand for the best epoch where both are
        the same.

        Args:
            run: Name of the run.
            evaluation: Name of the evaluation.
            checkpoint: Name of the checkpoint, "last", the default, or "best".
        """
        if run not in self.kept:
            return {}
        found = self.kept[run].records
        if ("all", "best") not in found:
            checkpoint = "last"
        # `fixed` has the record of JSA on the same images, so that `jsa` is
        # not made twice.
        names = ("jsa", "fixed") if evaluation == "jsa" else (evaluation,)
        there = [found.get((name, checkpoint)) for name in names]
        return next(filter(None, there), {})

    def scores(
        self, row: str, seed: int, evaluation: str, columns: tuple[str, ...]
    ) -> np.ndarray | None:
        """The share of columns under which each image was right, (N,).

        `claims.verdict` takes this function.

        Args:
            row: Name of the row, or "ROW@best" for its best epoch.
            seed: Seed of the run.
            evaluation: Name of the evaluation.
            columns: Names of the columns; ("*",) for all corruptions.

        Returns:
            Shares (N,), None where a column is missing.
        """
        name, _, best = row.partition("@")
        found = self.of(f"{name}-{seed}", evaluation, best or "last")
        columns = tuple(CELLS) if columns == ("*",) else columns
        if not set(columns) <= set(found):
            return None
        return np.mean([found[column].correct for column in columns], axis=0)


class Column(NamedTuple):
    """A column of a table: the mean of a number over the images of a record.

    Attributes:
        heading: Text above the column.
        evaluation: Name of the evaluation.
        record: Name of the record.
        checkpoint: Checkpoint that was evaluated, "last" or "best".
        number: Name of the number, or of the space whose budget is shown.
        scale: Factor of the mean that is shown.
        images: Number of images that count, the first of the record; None,
            the default, for all.
    """

    heading: str
    evaluation: str
    record: str
    checkpoint: str = "last"
    number: str = "correct"
    scale: float = 100
    images: int | None = None


SHORT = (
    Column("standard", "all", "standard"),
    Column("PGD-20", "all", "pgd20"),
    Column("JSA-50", "fixed", "jsa50"),
    Column("OM-PGD-50", "fixed", "om_pgd50"),
    Column("AutoAttack", "fixed", "autoattack"),
)
LAST = (
    Column("standard", "all", "standard"),
    Column("PGD-20", "all", "pgd20"),
    Column("JSA-50", "jsa", "jsa50"),
)
_ACCURACIES = (
    *LAST,
    Column("standard, best", "all", "standard", "best"),
    Column("PGD-20, best", "all", "pgd20", "best"),
    Column("JSA-50, best", "jsa", "jsa50", "best"),
    Column("OM-PGD-50", "fixed", "om_pgd50"),
    Column("JSA-50, 0.02", "large", "jsa50"),
    Column("OM-PGD-50, 0.02", "large", "om_pgd50"),
)
_SIZES = (
    Column("Linf of PGD-20", "all", "pgd20", number="linf", scale=255),
    Column("Linf of JSA-50", "jsa", "jsa50", number="linf", scale=255),
    Column("L2 of PGD-20", "all", "pgd20", number="l2", scale=1),
    Column("L2 of JSA-50", "jsa", "jsa50", number="l2", scale=1),
    Column("lambda of JSA-50", "jsa", "jsa50", number="latent", scale=1),
    Column("delta of JSA-50", "jsa", "jsa50", number="pixels", scale=255),
)
NOTHING = "Nothing was run yet."


def accuracies(
    results: Results,
    rows: dict[str, str],
    columns: tuple[Column, ...] = SHORT,
) -> str:
    """The table of the accuracies of some rows, of seed 0 and the last epoch.

    The last line has the number of test images of each column.

    Args:
        results: Results of all runs that are kept.
        rows: Labels of the rows, {row: label}.
        columns: Columns of the table, default `SHORT`.
    """
    runs = {f"{row}-0": label for row, label in rows.items()}
    return _table(results, runs, columns)


def everything(results: Results, plan: Iterable[Run]) -> str:
    """The accuracies of all runs, and how far the attacks move an image."""
    runs = {run.name: f"`{run.name}`" for run in plan if run.evaluations}
    return (
        "Accuracy in percent of the last epoch and of the best one: of all "
        "10,000 test images as they are and under PGD-20, of the first 1,000 "
        "under JSA-50 and OM-PGD-50, with the calibrated latent radius and "
        f"with 0.02.\n\n{_table(results, runs, _ACCURACIES)}\n\n"
        "How far the attacks of the last epoch move an image, on average: the "
        "largest change of a pixel in grey levels of 255, and the L2 norm, of "
        "the whole change; of JSA also the parts of its budget that it uses, "
        "lambda in latents and delta in grey levels.\n\n"
        f"{_table(results, runs, _SIZES)}"
    )


def hours(results: Results, plan: Iterable[Run]) -> str:
    """The table of the hours that each run took."""
    lines, total = [], np.zeros(2)
    for run in plan:
        if run.name in results.kept:
            spent = results.kept[run.name].hours
            each = np.array([spent["train"], spent["evaluate"]])
            lines.append([f"`{run.name}`", *_hours(each)])
            total += each
    if not lines:
        return NOTHING
    head = ["run", "train", "evaluate", "sum"]
    return grid([head, *lines, ["**all**", *_hours(total)]])


def of_the_paper(results: Results, number: int, seed: int) -> str | None:
    """A table of the paper with ours, or None where no row was run.

    Args:
        results: Results of all runs that are kept.
        number: Number of the table.
        seed: Seed of the rows.
    """
    rows = {}
    for row in row_names(number):
        # The rows of `MANIFOLD` have a fifth of the others' training images
        # and cannot be compared with them.
        if number == 6 or row not in MANIFOLD:
            run = f"{row}-{seed}"
            fixed, clean = results.of(run, "fixed"), results.of(run, "clean")
            found = fixed | clean | results.of(run, "corrupted")
            rows |= {row: found} if found else {}
    if not rows:
        return None
    return ij.evaluation.to_markdown(ij.evaluation.paper_tables(number, rows))


def verdicts(results: Results) -> str:
    """The table of the verdicts on the paper's claims."""
    return claims.to_markdown(results.scores)


def _table(
    results: Results, runs: dict[str, str], columns: tuple[Column, ...]
) -> str:
    lines, counts = [], [set() for _ in columns]
    for run, label in runs.items():
        found = [_values(results, run, column) for column in columns]
        for count, values in zip(counts, found):
            count |= {len(values)} if values is not None else set()
        cells = [_mean(*each) for each in zip(columns, found)]
        if set(cells) != {"-"}:
            lines.append([label, *cells])
    head = ["run", *(column.heading for column in columns)]
    images = [", ".join(f"{n:,}" for n in sorted(each)) for each in counts]
    return grid([head, *lines, ["*images*", *images]]) if lines else NOTHING


def _values(results: Results, run: str, column: Column) -> np.ndarray | None:
    found = results.of(run, column.evaluation, column.checkpoint)
    record: Record | None = found.get(column.record)
    if record is None:
        return None
    budget = record.budget.get(column.number)
    values = getattr(record, column.number, budget)
    return None if values is None else values[: column.images]


def _mean(column: Column, values: np.ndarray | None) -> str:
    if values is None:
        return "-"
    digits = 2 if column.scale > 1 else 4
    return f"{column.scale * values.mean(dtype=np.float64):.{digits}f}"


def _hours(each: np.ndarray) -> list[str]:
    return [f"{one:.2f}" for one in (*each, each.sum())]
