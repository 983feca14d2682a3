"""Prints a table of the paper, computed from records, beside the paper's own.

python eval/report.py --table=1 --runs=runs/cifar10
python eval/report.py --html=report.html --runs=runs/cifar10

The rows are runs in the folder --runs. A run has the name of its file in
train/configs, without the data set; or --runs=at=FOLDER,ijsat=FOLDER names the
folder of each run. The command reads the records that eval/main.py wrote into
RUN/records/CHECKPOINT/.

With --html the command writes one page of all runs of the folder, with any
names: tables, pictures, checks, what the attacks changed, speed and settings.
"""

from __future__ import annotations

import environment  # noqa: F401

# isort: split
import pathlib

from absl import flags

from ijsat_tf import commandline
from ijsat_tf.evaluation import records
from ijsat_tf.evaluation.formats import FORMATS
from ijsat_tf.evaluation.page import is_run, read_run, to_html
from ijsat_tf.evaluation.paper import as_printed
from ijsat_tf.evaluation.paper.tables import paper_tables, row_names
from ijsat_tf.evaluation.trust.check import listed
from ijsat_tf.evaluation.trust.record_checks import record_checks
from ijsat_tf.storage.files import replaced

FLAGS = flags.FLAGS

flags.DEFINE_integer("table", None, "Number of a table of the paper.", 1, 7)
flags.DEFINE_string(
    "html", None, "Path of a page to write, instead of --table."
)
flags.mark_flags_as_mutual_exclusive(["table", "html"], required=True)
flags.DEFINE_list(
    "runs",
    None,
    "Folder of runs, or ROW=FOLDER of each run.",
    required=True,
)
flags.DEFINE_enum(
    "checkpoint",
    "last",
    ["last", "best"],
    "Classifier whose records are read, from RUN/records/last or best.",
)
flags.DEFINE_enum("format", "markdown", list(FORMATS), "Format of the table.")
flags.DEFINE_string(
    "output", None, "Path of the table's file; None prints the table."
)
flags.DEFINE_bool(
    "checks", False, "Whether to print checks of the table's records."
)
flags.mark_flags_as_mutual_exclusive(["html", "output"])
flags.DEFINE_string("figures", None, "Folder of PNG files for the page.")
flags.DEFINE_string(
    "note", "", "Line below the title of the page, such as a date."
)


def main(_: list[str]) -> None:
    if FLAGS.html:
        write(page(), FLAGS.html, "page")
        return
    found = rows()
    text = FORMATS[FLAGS.format](paper_tables(FLAGS.table, found))
    if FLAGS.output:
        write(text, FLAGS.output, "table")
    else:
        print(text, end="")
    if FLAGS.checks:
        checks = {row: record_checks(each) for row, each in found.items()}
        print(f"\n{listed(checks)}")


def write(text: str, path: str, what: str) -> None:
    """Writes a file, all of it or nothing.

    Args:
        text: Content of the file.
        path: Path of the file.
        what: Noun to print before the path.
    """
    with replaced(pathlib.Path(path)) as aside:
        aside.write_text(text, encoding="utf-8")
    print(f"{what}: {path}")


def page() -> str:
    """The page of all runs, in HTML."""
    for name in ("format", "checks"):
        if FLAGS[name].present:
            raise ValueError(
                f"--{name} is for --table: leave it out with --html"
            )
    found = [
        read_run(name, folder, FLAGS.checkpoint)
        for name, folder in folders().items()
    ]
    if not found:
        raise ValueError(
            f"No run in --runs={','.join(FLAGS.runs)}: a folder of runs has "
            "folders with a settings.cfg or records; or give "
            "--runs=NAME=FOLDER"
        )
    try:
        FLAGS.note.encode()
    except UnicodeEncodeError:
        raise ValueError("--note must be text in UTF-8") from None
    return to_html(found, figures(), FLAGS.note)


def figures() -> dict[str, pathlib.Path]:
    """The pictures of --figures, {name in words: path}."""
    if not FLAGS.figures:
        return {}
    found = sorted(pathlib.Path(FLAGS.figures).glob("*.png"))
    if not found:
        raise ValueError(f"--figures={FLAGS.figures} has no PNG files")
    return {path.stem.replace("_", " "): path for path in found}


def rows() -> dict[str, dict[str, records.Record]]:
    """The records of a table of the paper, without rows that have no record."""
    for name in ("figures", "note"):
        if FLAGS[name].present:
            raise ValueError(f"--{name} is for the page: give --html=FILE")
    if FLAGS.table is None:
        raise ValueError("--html must name a file, or --table must be 1 to 7")
    names = row_names(FLAGS.table)
    found = {
        row: read(folder / "records" / FLAGS.checkpoint)
        for row, folder in folders(names).items()
    }
    if not any(found.values()):
        raise ValueError(
            f"No record of Table {FLAGS.table} in "
            f"--runs={','.join(FLAGS.runs)}: its rows are "
            f"{', '.join(names)}, and their records in "
            f"ROW/records/{FLAGS.checkpoint}; evaluate with eval/main.py "
            "first, or correct --runs"
        )
    return {row: each for row, each in found.items() if each}


def folders(rows: list[str] | None = None) -> dict[str, pathlib.Path]:
    """The folders of the rows, {row: folder}.

    Args:
        rows: Names of the rows that are allowed; None, the default, allows
            any names.
    """
    found: dict[str, pathlib.Path] = {}
    for given in FLAGS.runs:
        row, equal, folder = given.partition("=")
        if not equal:
            names = rows or sorted(
                path.name
                for path in pathlib.Path(given).glob("*")
                if is_run(path)
            )
            places = {name: pathlib.Path(given) / name for name in names}
        elif rows is None or row in rows:
            places = {row: pathlib.Path(folder)}
            if not places[row].is_dir():
                raise ValueError(f"--runs={given} is no folder")
        else:
            raise ValueError(
                f"--runs={given}: Table {FLAGS.table} has the rows "
                f"{', '.join(rows)}"
            )
        for name, place in places.items():
            if place.is_dir() and found.setdefault(name, place) != place:
                raise ValueError(
                    f"--runs has two of {name}, {found[name]} and {place}"
                )
    return found


def read(folder: pathlib.Path) -> dict[str, records.Record]:
    """The records of the table's columns in a folder, complete or not."""
    names = [
        name
        for part in as_printed.TABLES[FLAGS.table]
        for column in part.columns
        for name in column.records
    ]
    paths = {name: folder / f"{name}.npz" for name in names}
    return {
        name: records.load(path)
        for name, path in paths.items()
        if path.exists()
    }


if __name__ == "__main__":
    commandline.run(main)
