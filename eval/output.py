"""What eval/main.py prints at the end, from records."""

from __future__ import annotations

import pathlib

from absl import flags
from corruptions import Rows

import ijsat_tf as ij
from ijsat_tf.evaluation import conclusion, records
from ijsat_tf.evaluation.corruption import is_corrupted
from ijsat_tf.evaluation.trust.check import CHECKS_FILE, listed, load_checks

FLAGS = flags.FLAGS


def text(rows: Rows) -> str:
    """The tables of the attacks and of the corruptions, if there are any."""
    clean = {
        run: {
            column: record
            for column, record in found.items()
            if not is_corrupted(column, record)
        }
        for run, found in rows.items()
    }
    parts = []
    if any(clean.values()):
        parts.append(ij.evaluation.table(clean, FLAGS.union))
    if any(len(clean[run]) < len(rows[run]) for run in rows):
        parts.append(ij.evaluation.corruption_table(rows))
    if FLAGS.compare:
        parts.append(conclusion.sentence(clean, FLAGS.compare))
    return "\n\n".join(parts)


def from_disk(places: dict[str, pathlib.Path]) -> str:
    """The table of the records on disk, its columns ordered as --attacks."""
    if FLAGS.picture:
        raise ValueError("--picture attacks: leave out --table_only")
    if FLAGS.curves and not any(place.exists() for place in places.values()):
        return "no records yet, and so no table"
    if FLAGS.checks:
        found = {run: _checks(place) for run, place in places.items()}
        print(listed(found) + "\n")
    rows = {}
    for run, place in places.items():
        found = ij.evaluation.read(place)
        order = ["standard", *FLAGS.attacks, *found]
        rows[run] = {name: found[name] for name in order if name in found}
    return text(rows)


def _checks(place: pathlib.Path) -> list[ij.evaluation.Check]:
    """The checks of a folder of records.

    These are checks of all records, incomplete ones too, and the checks of
    the network that an evaluation saved there.

    Args:
        place: Folder of the records.
    """
    found = {
        path.stem: records.load(path)
        for path in sorted(place.glob("[!.]*.npz"))
    }
    models = {record.model for record in found.values()}
    asked = load_checks(place / CHECKS_FILE, models)
    return ij.evaluation.record_checks(found) + asked
