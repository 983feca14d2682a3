"""What a table shows, in two sentences."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ijsat_tf import checks
from ijsat_tf.evaluation.records import Record
from ijsat_tf.evaluation.statistics import difference_interval

# Names of runs as a reader knows them; other names stay as they are.
_ROWS = {
    "standard": "an undefended network",
    **{name: name.upper() for name in "at trades mart iat dmat ijsat".split()},
}


def sentence(records: Mapping[str, Mapping[str, Record]], column: str) -> str:
    """Returns what the last row keeps under an attack that hits the first row.

    For example "IJSAT keeps 86 % of 360 images under PGD-20, where an
    undefended network keeps 21 %. The difference is 64 points [59, 69]." The
    brackets hold the 95 % interval of the difference on other images.

    Args:
        records: Complete records {row: {column: `Record`}}, as for `table`.
        column: Column that is compared, such as "pgd20".

    Raises:
        ValueError: for fewer than two rows, and for a row without the column.
    """
    rows = list(records)
    checks.require(
        len(rows) > 1, "A comparison needs two runs or more.", f"{len(rows)}"
    )
    first, last = rows[0], rows[-1]
    for row in (first, last):
        checks.require(
            column in records[row],
            f"The run {row!r} must have a record of {column!r}: evaluate "
            "that attack too, or compare another column.",
            ", ".join(records[row]) or "no record",
        )
    right = {row: records[row][column].correct for row in (first, last)}
    kept = {row: correct.mean() for row, correct in right.items()}
    points = 100 * (kept[last] - kept[first])
    low, high = (
        100 * end for end in difference_interval(right[first], right[last])
    )
    text = (
        f"{_ROWS.get(last, last)} keeps {100 * kept[last]:.0f} % of "
        f"{records[last][column].samples} images {_under(column)}, where "
        f"{_ROWS.get(first, first)} keeps {100 * kept[first]:.0f} %. "
        f"The difference is {points:.0f} points [{low:.0f}, {high:.0f}]."
    )
    return text[0].upper() + text[1:]


def _under(column: str) -> str:
    if column == "standard":
        return "without an attack"
    # As the paper writes the names: pgd20 is PGD-20, om_pgd50 is OM-PGD-50.
    steps = re.fullmatch(r"(pgd|mia|om_pgd|jsa)(\d+)", column)
    if steps:
        column = f"{steps[1].upper().replace('_', '-')}-{steps[2]}"
    return f"under {column}"
