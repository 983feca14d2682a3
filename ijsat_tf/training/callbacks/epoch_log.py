"""The log of a run: the numbers of each epoch, kept as a CSV file."""

from __future__ import annotations

import os
import pathlib
from typing import Any

import keras

from ijsat_tf import checks
from ijsat_tf.storage import files


class EpochLog(keras.callbacks.Callback):
    """Writes the logs of each epoch as a row of a CSV file.

    The columns are `epoch`, from 0, and the logs of the first epoch. When
    `Backup` saves an epoch, the row of the epoch is on the disk already. Rows
    of epochs that are trained again are dropped. `keras.callbacks.CSVLogger`
    keeps such rows, and may lose other rows in a power failure.

    Args:
        path: Path of the file.
        epoch: Number of finished epochs; 0, the default, begins the file
            anew, and a larger number continues an existing file.

    Raises:
        ValueError: for a file that is not a log of these epochs.
        OSError: in training, for a disk that is full or cannot be written.
    """

    def __init__(self, path: str | os.PathLike, epoch: int = 0):
        super().__init__()
        self.path = pathlib.Path(path)
        known = epoch and self.path.exists()
        self.rows = _read(self.path, epoch) if known else []

    def on_epoch_end(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        found = {"epoch": epoch, **(logs or {})}
        if not self.rows:
            self.rows = [["epoch", *sorted(found.keys() - {"epoch"})]]
        self.rows.append([str(found.get(name, "NA")) for name in self.rows[0]])
        with files.replaced(self.path) as aside:
            lines = [",".join(row) + "\n" for row in self.rows]
            aside.write_text("".join(lines), encoding="utf-8")


def _read(path: pathlib.Path, epochs: int) -> list[list[str]]:
    """The header and the rows of a file, without epochs from `epochs` on."""
    lines = files.read_text(path).splitlines(keepends=True)
    rows = [line.rstrip("\r\n").split(",") for line in lines]
    while rows and rows[-1][0].isdecimal() and int(rows[-1][0]) >= epochs:
        rows.pop()
    first = epochs - len(rows) + 1
    expected = ["epoch", *map(str, range(first, epochs))]
    checks.require(
        len(rows) > 1
        and [row[0] for row in rows] == expected
        and all(len(row) == len(rows[0]) for row in rows)
        and lines[len(rows) - 1].endswith("\n"),
        f"{path} is damaged, or is not a log of {epochs} epochs; restore the "
        "file, or move the file away to begin a new log.",
    )
    return rows
