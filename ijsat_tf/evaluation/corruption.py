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

    The name alone does not tell: the attack fog in 3 steps may have the name
    of a corruption.

    Args:
        column: Name of the record.
        record: The record, complete or not.
    """
    return column in CELLS and record.attack == "standard"


def corrupted(
    records: Mapping[str, Record],
) -> dict[tuple[str, int], Record]:
    """Selects the records of corrupted images.

    Args:
        records: Records {column: `Record`}, as `read` returns them.

    Returns:
        The `Record` of each (corruption, severity), with the names of
        corruptions that `CORRUPTIONS` has.
    """
    return {
        cell: records[column]
        for column, cell in CELLS.items()
        if column in records and is_corrupted(column, records[column])
    }


def describe(kind: str) -> str:
    """Tells where corrupted images come from.

    For images made here, the text also names the parts that differ from the
    original corruptions.

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

    It is not the mean corruption error of Hendrycks and Dietterich, which
    divides by the errors of another network.

    Args:
        records: Records {(corruption, severity): `Record`}, all 75, such as
            `corrupted` returns. Each is the record "standard" that `evaluate`
            made of a Keras model and that set. The model must not be a plain
            function: its fingerprint is of its outputs, which differ from set
            to set.

    Returns:
        The mean accuracy, in [0, 1].

    Raises:
        ValueError: where one of the 75 records is missing or not complete,
            or not of the same model, attack, number of samples and kind of
            origin (made here or published) as the others.
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
            f"The record of {cell} is not complete: evaluate again with the "
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
