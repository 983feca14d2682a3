"""Writes the pages of the study's results: tables, verdicts and curves.

python reproduction/pages.py

The command trains and attacks nothing. The same records give the same bytes.
"""

from __future__ import annotations

import os
import pathlib
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import calibration  # noqa: E402
import diagnosed  # noqa: E402
import diagnosis  # noqa: E402
import findings  # noqa: E402
import kept  # noqa: E402
import plan  # noqa: E402
import tables  # noqa: E402
from absl import flags  # noqa: E402
from plan import Run  # noqa: E402
from tables import Results  # noqa: E402

import ijsat_tf as ij  # noqa: E402
from ijsat_tf import commandline  # noqa: E402
from ijsat_tf.storage import files  # noqa: E402

FLAGS = flags.FLAGS

TABLES = 1, 2, 4, 5, 6


def main(_: list[str]) -> None:
    folder = pathlib.Path(FLAGS.folder)
    write(folder, plan.plan(""))
    print(f"pages: {folder / 'results'}")


def write(folder: pathlib.Path, runs: list[Run]) -> None:
    """Writes all pages.

    Args:
        folder: Folder reproduction/, with records/, results/ and README.md.
        runs: All runs, in the plan's order.
    """
    results = Results(kept.read(folder / "records"))
    pages = {
        "all": ("All runs", tables.everything(results, runs)),
        "dose": (
            "AT and JSA with several latent radii in training",
            tables.accuracies(results, plan.DOSE),
        ),
        "manifold": (
            "The manifold of a flow and of a GAN, 10,000 images",
            tables.accuracies(results, plan.MANIFOLD),
        ),
        "hours": ("Machine-hours", tables.hours(results, runs)),
    }
    for number in TABLES:
        for seed in plan.SEEDS:
            table = tables.of_the_paper(results, number, seed)
            if table:
                name = f"table{number}" + f"_seed{seed}" * bool(seed)
                title = f"Table {number}" + f", seed {seed}" * bool(seed)
                pages[name] = title, table.replace("### ", "## ").strip()
    drawn = [
        name
        for name, suffix in (("curves", ""), ("curves_long", "_long"))
        if curves(results, suffix, folder / "results" / f"{name}.png")
    ]
    words = findings.to_markdown(results.scores, drawn)
    pages["findings"] = "The paper's claims, in words", words
    measures = folder / "records" / diagnosis.FILE
    if measures.exists():
        text = diagnosed.to_markdown(diagnosed.read(measures), results)
        pages["diagnosis"] = "The search for an error of our own", text
    for name, (title, text) in pages.items():
        _page(folder / "results" / f"{name}.md", title, text)
    titles = {name: title for name, (title, _) in sorted(pages.items())}
    index = _index(results, runs, titles, drawn)
    _page(folder / "results" / "index.md", "Results of the study", index)
    path = folder / "records" / calibration.FILE
    if path.exists():
        columns = kept.load(path).records["calibration", "last"]
        text = calibration.to_markdown(columns)
        insert(folder / "README.md", "calibration", text)
    readme = folder.parent / "README.md"
    if readme.exists():
        done = sum(run.name in results.kept for run in runs)
        text = f"{done} of {len(runs)} runs are done:"
        verdicts = findings.summary(results.scores)
        insert(readme, "verdicts", f"{text}\n\n{verdicts}")


def curves(results: Results, suffix: str, picture: pathlib.Path) -> bool:
    """Draws the curves of the ablation's rows, seed 0.

    Args:
        results: Results of all runs that are kept.
        suffix: End of the rows' names.
        picture: File to write.

    Returns:
        Whether there was a curve to draw.
    """
    with tempfile.TemporaryDirectory() as folder:
        there = {}
        for row, label in plan.CORE.items():
            run = results.kept.get(f"{row}{suffix}-0")
            if run and run.curve:
                there[label] = pathlib.Path(folder) / f"{row}.csv"
                there[label].write_text(run.curve, encoding="utf-8")
        if there:
            ij.evaluation.robust_curves(there, picture)
    return bool(there)


def insert(path: pathlib.Path, name: str, table: str) -> None:
    """Puts a table between two comments of a file, if the file has them.

    Args:
        path: File in Markdown.
        name: Name in the comments, `<!-- name -->` and `<!-- end of name -->`.
        table: Text to put between the comments.
    """
    text = files.read_text(path)
    before, first, rest = text.partition(f"<!-- {name} -->")
    _, last, after = rest.partition(f"<!-- end of {name} -->")
    if last:
        with files.replaced(path) as aside:
            aside.write_text(
                f"{before}{first}\n\n{table}\n\n{last}{after}", encoding="utf-8"
            )


def _index(
    results: Results, runs: list[Run], titles: dict[str, str], drawn: list[str]
) -> str:
    done = [run.name for run in runs if run.name in results.kept]
    left = [run.name for run in runs if run.name not in results.kept]
    links = [f"- [{title}]({name}.md)" for name, title in titles.items()]
    pictures = [f"![Accuracy by epoch, {name}.]({name}.png)" for name in drawn]
    parts = [
        "[The claims in words](findings.md) say what the paper found, and what "
        "was found here. [The protocol](../README.md) says what is run, and "
        "what the words of the verdicts mean.",
        f"- run ({len(done)} of {len(runs)}): {_listed(done)}\n"
        f"- not tried: {_listed(left)}",
        "## Verdicts",
        tables.verdicts(results),
        "## Pages",
        "\n".join(links),
        *pictures,
    ]
    return "\n\n".join(parts)


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"


def _page(path: pathlib.Path, title: str, text: str) -> None:
    with files.replaced(path) as aside:
        aside.write_text(
            f"Computed from `reproduction/records` by `make results`.\n\n"
            f"# {title}\n\n{text}\n",
            encoding="utf-8",
        )


if __name__ == "__main__":
    flags.DEFINE_string(
        "folder", "reproduction", "Folder of records/, results/ and README.md."
    )
    commandline.run(main)
