"""The results of a run, kept in one file.

The file also has times (hours, a record's `seconds`, the log's images/s), which
differ between repetitions of a run. Everything else is the same for a run that
was killed and resumed and for a run that was not.
"""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ijsat_tf import checks
from ijsat_tf.evaluation import records
from ijsat_tf.evaluation.records import Record
from ijsat_tf.storage import files

Columns = dict[str, Record]

_TEXTS = "settings", "log", "curve"


class Kept(NamedTuple):
    """The results of a run that are kept.

    Attributes:
        settings: Lines of the run's settings.cfg.
        log: Lines of its log.csv, or "".
        curve: Lines of its curve.csv, or "".
        records: Records, {(evaluation, checkpoint): {column: record}}, with
            the checkpoint "last" or "best".
        hours: Hours of all processes that worked on the run, {"train": h,
            "evaluate": h}, without the last hours of a process that was
            killed without warning.
    """

    settings: str
    log: str
    curve: str
    records: dict[tuple[str, str], Columns]
    hours: dict[str, float]


def save(kept: Kept, path: pathlib.Path) -> None:
    """Writes the results of a run; the same content gives the same bytes.

    Args:
        kept: Results of a run.
        path: File to write, all of it or nothing.
    """
    arrays = {name: np.array(getattr(kept, name)) for name in _TEXTS}
    for what, spent in kept.hours.items():
        arrays[f"hours/{what}"] = np.float64(spent)
    for (evaluation, checkpoint), columns in kept.records.items():
        for column, record in columns.items():
            place = f"records/{evaluation}/{checkpoint}/{column}"
            for name, array in records.to_arrays(record).items():
                arrays[f"{place}/{name}"] = array
    with files.replaced(path) as aside, open(aside, "wb") as file:
        np.savez_compressed(file, **dict(sorted(arrays.items())))


def load(path: pathlib.Path) -> Kept:
    """Reads the results that `save` wrote.

    Args:
        path: File to read.

    Raises:
        ValueError: for a file that is truncated, or of another kind.
        OSError: for a file that cannot be opened.
    """
    with open(path, "rb") as file:
        try:
            with np.load(file, allow_pickle=False) as arrays:
                return _parsed({name: arrays[name] for name in arrays})
        except Exception as error:
            # NumPy raises the errors of its readers, such as zlib's.
            reason = str(error).strip().split("\n")[0]
            raise ValueError(
                f"{path} cannot be read as the results of a run: "
                f"{reason or type(error).__name__}. Restore that file, or "
                "delete the file to repeat the run."
            ) from error


def read(folder: pathlib.Path) -> dict[str, Kept]:
    """The results of all runs in a folder, {name of a run: its results}."""
    return {path.stem: load(path) for path in sorted(folder.glob("[!.]*.npz"))}


def shortened(record: Record, digits: int) -> Record:
    """A record with fewer digits in its floats, so that its file is small.

    Floats are rounded towards zero, so that no budget is exceeded.

    Args:
        record: Record to shorten.
        digits: Number of binary digits that stay after the first one, 0 to
            23.
    """
    mask = np.uint32(2**32 - 2 ** (23 - digits))

    def short(values: np.ndarray) -> np.ndarray:
        if values.dtype != np.float32:
            return values
        return (values.view(np.uint32) & mask).view(np.float32)

    return record._replace(
        **{
            name: short(value)
            for name, value in record._asdict().items()
            if isinstance(value, np.ndarray)
        },
        budget={space: short(used) for space, used in record.budget.items()},
    )


def _parsed(arrays: Mapping[str, np.ndarray]) -> Kept:
    missing = [name for name in _TEXTS if name not in arrays]
    checks.require(not missing, f"the file has no {', '.join(missing)}")
    hours: dict[str, float] = {}
    parts: dict[tuple[str, ...], dict[str, np.ndarray]] = {}
    for name, array in arrays.items():
        kind, *place = name.split("/")
        if kind == "hours":
            (what,) = place
            hours[what] = float(array)
        elif kind == "records":
            evaluation, checkpoint, column, part = place
            key = evaluation, checkpoint, column
            parts.setdefault(key, {})[part] = array
    found: dict[tuple[str, str], Columns] = {}
    for (evaluation, checkpoint, column), part in parts.items():
        columns = found.setdefault((evaluation, checkpoint), {})
        columns[column] = records.from_arrays(part)
    texts = [str(arrays[name].item()) for name in _TEXTS]
    return Kept(*texts, found, hours)
