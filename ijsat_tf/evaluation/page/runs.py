"""The contents of a run's folder, for a page to show."""

from __future__ import annotations

import csv
import math
import os
import pathlib
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from ijsat_tf.evaluation import records
from ijsat_tf.evaluation.records import Record
from ijsat_tf.evaluation.trust.check import CHECKS_FILE, Check, load_checks
from ijsat_tf.storage.files import read_text


class Run(NamedTuple):
    """A run: its records, settings, speeds, pictures and checks.

    Attributes:
        name: Name of the run, and of its row in tables.
        records: Records {name: `Record`}, complete or not.
        settings: Settings {name of a flag: its value}.
        speeds: Speeds of training in images/s, one per epoch that measured
            its speed.
        pictures: Pictures {caption: path of a PNG file}.
        checks: Checks of the run's model, which need more than records.
        warnings: Warnings of files that are missing or cannot be read, one
            line each.
    """

    name: str
    records: dict[str, Record]
    settings: dict[str, str] = {}
    speeds: tuple[float, ...] = ()
    pictures: dict[str, pathlib.Path] = {}
    checks: tuple[Check, ...] = ()
    warnings: tuple[str, ...] = ()


_PICTURES = {
    "curve.png": "accuracy during training",
    "samples.png": "samples",
}
_SETTINGS = "settings.cfg"


def is_run(folder: str | os.PathLike) -> bool:
    """Whether a folder holds what training or an evaluation wrote.

    Args:
        folder: Path of the folder.
    """
    folder = pathlib.Path(folder)
    return (folder / _SETTINGS).is_file() or (folder / "records").is_dir()


def read_run(
    name: str, folder: str | os.PathLike, checkpoint: str = "last"
) -> Run:
    """Reads a run from its folder.

    Files that cannot be read become warnings of the run.

    Args:
        name: Name of the run.
        folder: Folder of the run, the --workdir of train/main.py.
        checkpoint: Checkpoint whose records are read, "last" (the default) or
            "best".

    Returns:
        A `Run`.
    """
    folder = pathlib.Path(folder)
    place = folder / "records" / checkpoint
    warnings = []

    def read(reader: Callable, *arguments: Any) -> Any:
        try:
            return reader(*arguments)
        except ValueError as error:
            warnings.append(str(error))

    paths = sorted(
        place.glob("[!.]*.npz"),
        key=lambda path: (path.stem != "standard", path.stem),
    )
    loaded = {path.stem: read(records.load, path) for path in paths}
    found = {name: each for name, each in loaded.items() if each}
    models = {record.model for record in found.values()}
    checks = read(load_checks, place / CHECKS_FILE, models) or ()
    settings = read(_settings, folder / _SETTINGS) or {}
    speeds = read(_speeds, folder / "log.csv") or ()
    if not found and (folder / "classifier.keras").is_file():
        warnings.append(
            f"{name} has a classifier, and no record in records/{checkpoint}: "
            "attack it with eval/main.py."
        )
    if not (folder / _SETTINGS).is_file():
        warnings.append(f"{name} has no {_SETTINGS}.")
    pictures = {
        f"{name}: {caption}": folder / file
        for file, caption in _PICTURES.items()
        if (folder / file).is_file()
    }
    return Run(
        name,
        found,
        settings,
        speeds,
        pictures,
        tuple(checks),
        tuple(warnings),
    )


def _settings(path: pathlib.Path) -> dict[str, str]:
    """Returns the settings in a flagfile.

    The flagfile has the checksums of files as comments, "# gan, sha256=...".
    """
    found = {}
    lines = read_text(path).splitlines() if path.is_file() else []
    for line in lines:
        name, given, value = re.sub("^(--|# )", "", line).partition("=")
        if not given:
            # Flags that are true or false: --nesterov and --nonesterov. The
            # "no" of --normalize belongs to the name.
            denied, name = re.fullmatch("(no(?!rm))?(.*)", name).groups()
            value = "false" if denied else "true"
        if name:
            found[name] = value
    return found


def _speeds(path: pathlib.Path) -> tuple[float, ...]:
    if not path.is_file():
        return ()
    rows = csv.DictReader(read_text(path).splitlines())
    texts = [row.get("images_per_second") for row in rows]
    numbers = [_number(text) for text in texts]
    return tuple(number for number in numbers if math.isfinite(number))


def _number(text: str | None) -> float:
    try:
        return float(text)
    except (TypeError, ValueError):
        # The text is "NA", or part of a line that was being written.
        return math.nan
