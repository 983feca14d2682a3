"""Records of corrupted images, and their mean accuracy."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ijsat_tf import checks
from ijsat_tf.data import CORRUPTIONS
from ijsat_tf.data.corruptions import SUBSTITUTES
from ijsat_tf.evaluation.records import Record

# Keys are the names of the records, e.g. "fog_3".
CELLS = {
    f"{name}_{severity}": (name, severity)
    for name in CORRUPTIONS
    for severity in range(1, 6)
}


def is_corrupted(column: str, record: Record) -> bool:
    """Whether a record is of corrupted images.

    The name alone does not decide: an attack, fog with 3 steps, and a
    corruption, fog of severity 3, may both be named fog_3.

    Args:
        column: Name of the record.
        record: Record, complete or not.
    """
    return column in CELLS and record.attack == "standard"


def corrupted(
    records: Mapping[str, Record],
) -> dict[tuple[str, int], Record]:
    """Selects the records of corrupted images.

    Args:
        records: Records {column: `Record`}, as `read` returns them.

    Returns:
        A dict of records by corruption and severity, with the corruption as
        `CORRUPTIONS` names it.
    """
    return {
        cell: records[column]
        for column, cell in CELLS.items()
        if column in records and is_corrupted(column, records[column])
    }


def describe(kind: str) -> str:
    """Returns a text about the origin of corrupted images.

    For images made by this library, the text also names the parts that differ
    from the original corruptions.

    Args:
        kind: Kind of the images' origin, `Record.kind`, such as "made here".
    """
    if kind != "made here":
        return kind if kind != "unknown" else "of unknown origin"
    others = [f"{name} with {what}" for name, what in SUBSTITUTES.items()]
    return f"{kind} ({'; '.join(others)})"


def mean_corruption_accuracy(
    records: Mapping[tuple[str, int], Record],
) -> float:
    """Mean accuracy over the 15 corruptions and 5 severities (Table 2).

    This number is not the mean corruption error of Hendrycks and Dietterich,
    who divide by the errors of another network.

    Args:
        records: Records {(corruption, severity): `Record`}, all 75, such as
            `corrupted` returns. Each record is the record "standard" that
            `evaluate` made of a Keras model and the corrupted set. The model
            must not be a plain function, because the fingerprint of a function
            depends on the images.

    Returns:
        The mean accuracy, in [0, 1].

    Raises:
        ValueError: where one of the 75 records is missing or not complete, or
            differs from the others in the model, the attack, the number of
            samples or the kind of origin (made here or published).
    """
    cells = list(CELLS.values())
    missing = [cell for cell in cells if cell not in records]
    checks.require(
        not missing and len(records) == len(cells),
        "`records` must have the 75 keys (corruption, severity), corruption "
        "one of `ij.data.CORRUPTIONS` and severity from 1 to 5; evaluate "
        f"{_shown(missing) if missing else 'no others'}.",
        f"{len(records)} records",
    )
    first = records[cells[0]]
    for cell in cells:
        record = records[cell]
        checks.require(
            record.complete,
            f"The record of {cell} must be complete; evaluate again with the "
            "same settings.",
            f"{record.done} of {record.samples} samples",
        )
        for name in ("model", "attack", "samples", "kind"):
            checks.require(
                getattr(record, name) == getattr(first, name),
                f"`records` must have one `{name}`; evaluate {cell} again.",
                f"{getattr(first, name)} for {cells[0]}, "
                f"{getattr(record, name)} for {cell}",
            )
    return float(np.mean([records[cell].correct.mean() for cell in cells]))


def _shown(cells: list[tuple[str, int]]) -> str:
    shown = ", ".join(map(str, cells[:3]))
    return shown + (f" and {len(cells) - 3} more" if len(cells) > 3 else "")
