"""The curve of a run: accuracy against epochs, kept as a CSV file."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Sequence
from typing import NamedTuple

from ijsat_tf import checks
from ijsat_tf.storage.files import replaced


class Point(NamedTuple):
    """Accuracies after an epoch.

    Attributes:
        epoch: Number of finished epochs, from 1.
        clean_accuracy: Accuracy on clean images, a fraction.
        robust_accuracy: Accuracy under attack, a fraction.
    """

    epoch: int
    clean_accuracy: float
    robust_accuracy: float


_HEADER = ",".join(Point._fields)


def read_curve(path: str | os.PathLike) -> list[Point]:
    """Reads the points that `write_curve` wrote.

    Args:
        path: Path of the file.

    Returns:
        A list of points, in the order of the file.

    Raises:
        ValueError: for a file that is missing, or is not a curve.
    """
    path = pathlib.Path(path)
    checks.require(
        path.is_file(),
        f"There is no curve at {path}: train with "
        "RobustAccuracy(..., path=...) first, or correct the path.",
    )
    try:
        header, *lines = path.read_text(encoding="utf-8").splitlines()
        points = [_point(line) for line in lines]
        epochs = [0, *(point.epoch for point in points)]
        if header != _HEADER or epochs != sorted(set(epochs)):
            raise ValueError
    except ValueError:
        raise ValueError(
            f"{path} must be a CSV file with the columns {_HEADER}, one line "
            "per epoch; move the file away, or choose another path."
        ) from None
    return points


def write_curve(points: Sequence[Point], path: str | os.PathLike) -> None:
    """Writes the points of a curve.

    Args:
        points: Points by ascending epoch.
        path: Path of the file.
    """
    lines = [_HEADER, *(",".join(map(repr, point)) for point in points)]
    with replaced(pathlib.Path(path)) as aside:
        aside.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _point(line: str) -> Point:
    epoch, *accuracies = line.split(",")
    clean, robust = map(float, accuracies)
    if not (0 <= clean <= 1 and 0 <= robust <= 1):
        raise ValueError
    return Point(int(epoch), clean, robust)
