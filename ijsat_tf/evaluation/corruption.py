"""The number that stands for a model under common corruptions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ijsat_tf import checks
from ijsat_tf.data import CORRUPTIONS
from ijsat_tf.evaluation.records import Record


def mean_corruption_accuracy(
    records: Mapping[tuple[str, int], Record],
) -> float:
    """Mean accuracy over the 15 corruptions and 5 severities (Table 2).

    It is not the mean corruption error of Hendrycks and Dietterich, which
    divides by the errors of another network.

    Args:
        records: {(corruption, severity): the record "standard" that
            `evaluate` made of a Keras model and that set}, all 75; a plain
            function is told by its outputs, which differ from set to set.

    Returns:
        The accuracy, in [0, 1].

    Raises:
        ValueError: where one of the 75 is missing or not complete, or not of
            the same model, attack and number of samples as the others.
    """
    cells = [(name, part) for name in CORRUPTIONS for part in range(1, 6)]
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
        for name in ("model", "attack", "samples"):
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
