"""Prints a table of the paper, computed from records, beside its numbers.

python eval/report.py --table=1 --runs=runs/cifar10

Rows are the runs of the names in train/configs, without the data set, in the
folder --runs; or --runs=at=FOLDER,ijsat=FOLDER says where each is. Their
records are those that eval/main.py wrote into RUN/records/CHECKPOINT/.
"""

from __future__ import annotations

import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from absl import flags  # noqa: E402

from ijsat_tf import commandline  # noqa: E402
from ijsat_tf.evaluation import paper, records  # noqa: E402
from ijsat_tf.evaluation.formats import FORMATS  # noqa: E402
from ijsat_tf.evaluation.soundness import listed, record_checks  # noqa: E402
from ijsat_tf.evaluation.tables import paper_tables, row_names  # noqa: E402
from ijsat_tf.files import replaced  # noqa: E402

FLAGS = flags.FLAGS

flags.DEFINE_integer("table", None, "of the paper", 1, 7, required=True)
flags.DEFINE_list(
    "runs", None, "a folder of runs, or ROW=FOLDER of each run", required=True
)
flags.DEFINE_enum(
    "checkpoint", "last", ["last", "best"], "whose records: RUN/records/..."
)
flags.DEFINE_enum("format", "markdown", list(FORMATS), "of the table")
flags.DEFINE_string("output", None, "file to write; None prints")
flags.DEFINE_bool("checks", False, "print checks of the records, too")


def main(_: list[str]) -> None:
    found = {
        row: read(folder / "records" / FLAGS.checkpoint)
        for row, folder in folders(row_names(FLAGS.table)).items()
    }
    if not any(found.values()):
        raise ValueError(
            f"No record of Table {FLAGS.table} in {','.join(FLAGS.runs)}: its "
            f"rows are {', '.join(row_names(FLAGS.table))}, and their records "
            f"in ROW/records/{FLAGS.checkpoint}; evaluate with eval/main.py "
            "first, or correct --runs"
        )
    text = FORMATS[FLAGS.format](paper_tables(FLAGS.table, found))
    if FLAGS.output:
        with replaced(pathlib.Path(FLAGS.output)) as aside:
            aside.write_text(text, encoding="utf-8")
        print(f"table: {FLAGS.output}")
    else:
        print(text, end="")
    if FLAGS.checks:
        there = {row: each for row, each in found.items() if each}
        checks = {row: record_checks(each) for row, each in there.items()}
        print(f"\n{listed(checks)}")


def folders(rows: list[str]) -> dict[str, pathlib.Path]:
    """The rows' folders, by the names of the rows."""
    found: dict[str, pathlib.Path] = {}
    for given in FLAGS.runs:
        row, equal, folder = given.partition("=")
        if not equal:
            places = {name: pathlib.Path(given) / name for name in rows}
        elif row in rows:
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
    """The records of the table's columns, complete or not."""
    names = [
        name
        for part in paper.TABLES[FLAGS.table]
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
