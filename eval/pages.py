"""Tables, curves and verdicts of docs/results, from what is kept there."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import NamedTuple

import claims
import numpy as np
import protocol

import ijsat_tf as ij
from ijsat_tf import files
from ijsat_tf.evaluation import records
from ijsat_tf.evaluation.corruption import CELLS
from ijsat_tf.evaluation.formats import grid
from ijsat_tf.evaluation.records import Record
from ijsat_tf.evaluation.tables import row_names
from ijsat_tf.training.callbacks.curves import read_curve

Columns = dict[str, Record]

TABLES = 1, 2, 4, 5, 6


class Kept(NamedTuple):
    """What is kept of runs.

    Attributes:
        found: {name of a run: {(evaluation, checkpoint): its records}}.
    """

    found: dict[str, dict[tuple[str, str], Columns]]

    def of(self, run: str, evaluation: str, checkpoint: str) -> Columns:
        """Records; the last epoch's where that is the best one."""
        here = self.found.get(run, {})
        last = here.get((evaluation, "last"), {})
        return here.get((evaluation, checkpoint), last)

    def scores(
        self, row: str, seed: int, evaluation: str, columns: tuple[str, ...]
    ) -> np.ndarray | None:
        """The share of columns under which each image was right, as
        `claims.verdict` asks for it."""
        name, _, best = row.partition("@")
        found = self.of(f"{name}-{seed}", evaluation, best or "last")
        columns = tuple(CELLS) if columns == ("*",) else columns
        if not set(columns) <= set(found):
            return None
        return np.mean([found[column].correct for column in columns], axis=0)


def write(
    output: pathlib.Path,
    plan: list[protocol.Run],
    texts: Sequence[pathlib.Path] = (),
) -> None:
    """Writes all pages anew.

    Args:
        output: docs/results.
        plan: of all runs.
        texts: files with places for tables, see `insert`.
    """
    kept, large = read(output / "runs"), read(output / "full")
    for number in TABLES:
        for seed in claims.SEEDS:
            rows = {
                row: kept.of(f"{row}-{seed}", "records", "last")
                | kept.of(f"{row}-{seed}", "corrupted", "last")
                for row in row_names(number)
                if f"{row}-{seed}" in kept.found
            }
            if seed and not rows:
                continue
            name = f"table{number}" + f"_seed{seed}" * bool(seed)
            title = f"Table {number}" + f", seed {seed}" * bool(seed)
            table = ij.evaluation.to_markdown(
                ij.evaluation.paper_tables(number, rows)
            )
            _page(output / f"{name}.md", title, table)
    _page(output / "wide.md", "All runs on 2,000 images", _wide(kept, plan))
    verdicts = claims.to_markdown(kept.scores)
    _page(output / "verdicts.md", "Verdicts", verdicts)
    for text in texts:
        insert(text, "all rows", summary(kept, protocol.LABELS))
        insert(text, "ablation", summary(kept, protocol.README))
        insert(text, "verdicts", verdicts)
        insert(text, "state", _state(kept, plan))
        insert(text, "full", full(large, kept))
        insert(text, "held out", held_out(output))
    for suffix in "", "_long":
        curves = {
            row: output / "runs" / f"{row}{suffix}-0" / "curve.csv"
            for row in protocol.ABLATION
        }
        there = {row: path for row, path in curves.items() if path.exists()}
        if there:
            picture = output / f"curves{suffix}.png"
            ij.evaluation.robust_curves(there, picture)
    print(f"pages: {output}")


def read(folder: pathlib.Path) -> Kept:
    """What is kept in a folder."""
    found: dict[str, dict[tuple[str, str], Columns]] = {}
    for run in sorted(folder.glob("[!.]*")):
        found[run.name] = {
            (place.parent.name, place.name): records.read(place)
            for place in sorted(run.glob("*/*"))
            if place.is_dir()
        }
    return Kept(found)


def summary(kept: Kept, labels: dict[str, str]) -> str:
    """Table 1's columns of those rows that were run, seed 0, last epoch."""
    rows = {
        label: _of_table_1(found)
        for row, label in labels.items()
        if (found := kept.of(f"{row}-0", "records", "last"))
    }
    return ij.evaluation.table(rows) if rows else "Nothing was run yet."


def full(found: Kept, kept: Kept) -> str:
    """Rows at full width, each beside the same one of the small scale.

    Args:
        found: what is kept of output/full.
        kept: of output/runs.
    """
    rows = {
        f"{label}, {scale}": _of_table_1(columns)
        for row, label in protocol.ABLATION.items()
        if found.of(f"{row}-0", "records", "last")
        for scale, each in (("full", found), ("small", kept))
        if (columns := each.of(f"{row}-0", "records", "last"))
    }
    return ij.evaluation.table(rows) if rows else "Nothing was run yet."


def held_out(output: pathlib.Path) -> str:
    """Rows at full width, those trained a second time too, beside the same of
    the small scale: how many of the held-out images were right in the last
    epoch."""
    lines = [["", "run", "epochs", "held out", "held out, PGD-50"]]
    for row, label in protocol.ABLATION.items():
        if not (output / "full" / f"{row}-0").exists():
            continue
        for run in f"full/{row}-0", f"full/{row}_again-0", f"runs/{row}-0":
            curve = output / run / "curve.csv"
            if curve.exists():
                last = read_curve(curve)[-1]
                shown = (last.clean_accuracy, last.robust_accuracy)
                lines.append(
                    [label, f"`{run}`", str(last.epoch)]
                    + [f"{100 * each:.1f}" for each in shown]
                )
    return grid(lines)


def _of_table_1(found: Columns) -> Columns:
    return {column: found[column] for column in claims.COLUMNS}


def insert(path: pathlib.Path, name: str, table: str) -> None:
    """Puts a table in its place, between two comments, if a file has one.

    Args:
        path: of a file in Markdown.
        name: of the comments, `<!-- name -->` and `<!-- end of name -->`.
        table: what is to stand between them.
    """
    text = files.read_text(path)
    before, first, rest = text.partition(f"<!-- {name} -->")
    _, last, after = rest.partition(f"<!-- end of {name} -->")
    if last:
        with files.replaced(path) as aside:
            aside.write_text(
                f"{before}{first}\n\n{table}\n\n{last}{after}", encoding="utf-8"
            )


def _state(kept: Kept, plan: list[protocol.Run]) -> str:
    runs = [run.name for run in plan if run.evaluations]
    done = [name for name in runs if name in kept.found]
    left = [name for name in runs if name not in kept.found]
    lines = [f"- run ({len(done)} of {len(runs)}): {_listed(done)}"]
    lines.append(f"- not tried: {_listed(left)}")
    return "\n".join(lines)


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"


def _page(path: pathlib.Path, title: str, text: str) -> None:
    text = text.replace("### ", "## ").strip()
    with files.replaced(path) as aside:
        aside.write_text(
            f"# {title}\n\nComputed from `docs/results/runs` by `python "
            f"eval/results.py --pages_only`.\n\n{text}\n",
            encoding="utf-8",
        )


def _wide(kept: Kept, plan: list[protocol.Run]) -> str:
    columns = "standard", "pgd20", "jsa50"
    attacks = columns[1:]
    accuracies = [["run"]]
    accuracies[0] += [f"{name}, last" for name in columns]
    accuracies[0] += [f"{name}, best" for name in columns]
    sizes = [["run"]]
    sizes[0] += [f"Linf of {name}" for name in attacks]
    sizes[0] += [f"L2 of {name}" for name in attacks]
    sizes[0] += ["lambda of jsa50", "delta of jsa50"]
    for run in plan:
        last, best = (
            kept.of(run.name, "wide", checkpoint)
            for checkpoint in ("last", "best")
        )
        if not last:
            continue
        right = [
            _mean(found.get(name), "correct", 100)
            for found in (last, best)
            for name in columns
        ]
        accuracies.append([run.name, *right])
        linf = [_mean(last.get(name), "linf", 255) for name in attacks]
        l2 = [_mean(last.get(name), "l2") for name in attacks]
        used = [
            _mean(last.get("jsa50"), "latent"),
            _mean(last.get("jsa50"), "pixels", 255),
        ]
        sizes.append([run.name, *linf, *l2, *used])
    return (
        "Accuracy in percent on the first 2,000 test images, of the last epoch "
        "and of the best one.\n\n"
        f"{grid(accuracies)}\n\n"
        "How far the attacks of the last epoch move an image, on average: the "
        "largest change of a pixel in grey levels of 255, and the L2 norm, of "
        "the whole change; of JSA also the parts of its budget that it uses, "
        "lambda in latents (of 0.02) and delta in grey levels (of 8).\n\n"
        f"{grid(sizes)}"
    )


def _mean(record: Record | None, name: str, scale: float = 1.0) -> str:
    """Of a column of a record, or of the budget of a space."""
    values = getattr(record, name, None)
    if values is None and record is not None:
        values = record.budget.get(name)
    if values is None:
        return "-"
    return f"{scale * values.mean():.{2 if scale > 1 else 4}f}"
