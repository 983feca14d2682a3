"""Records: the results of a model under an attack, per sample."""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from ijsat_tf import checks
from ijsat_tf.storage import resumable
from ijsat_tf.storage.files import reason, replaced

# The numbers of a record follow from these settings, so that no record may
# mix batches of different settings.
_SETTINGS = {
    "attack": str,
    "model": str,
    "data": str,
    "networks": str,
    "seed": int,
    "batch_size": int,
    "samples": int,
    "versions": str,
    "origin": str,
}
# The numbers per sample, with the letters of NumPy's dtype kinds.
_COLUMNS = {
    "correct": "b",
    "margin": "f",
    "loss": "f",
    "linf": "f",
    "l2": "f",
    "clipped": "f",
    "overflowed": "b",
    "seconds": "f",
}
_BUDGET = "budget."
# Version of the file format: files of another version mean something else.
_FORMAT = 3


def versions() -> str:
    """Returns the versions of this library, TensorFlow and Keras.

    The numbers of a record follow from these libraries.
    """
    from ijsat_tf import __version__

    return (
        f"ijsat_tf {__version__}, tensorflow {tf.__version__}, "
        f"keras {keras.__version__}"
    )


class Record(NamedTuple):
    """The results of a model under one attack, per sample.

    `correct`, `margin` and `loss` come from one forward pass of exactly the
    attacked images. While its evaluation is under way, a record may hold
    fewer than its N samples; then the record holds the first samples.

    Attributes:
        attack: Text of the attack, its `repr`, or "standard".
        model: Fingerprint of the weights, or of a function's logits.
        data: Fingerprint of images, labels and latents.
        networks: Fingerprint of the attack's generators, or "none".
        seed: Seed of the evaluation. Random starts follow from `seed` and
            `batch_size`.
        batch_size: Batch size of the evaluation.
        samples: Number N of samples.
        versions: Versions of the libraries that made the record, see
            `versions`.
        origin: Origin of the images, as `Source.origin` tells it.
        correct: Whether the model is correct, (N,) bool.
        margin: Margins (N,), z_y - max_{j != y} z_j of the logits z; negative
            where the model is not correct.
        loss: Cross entropy (N,), in nats.
        linf: Norms (N,), |x^ - x|_inf, in [0, 1], of the whole change of the
            image, in whatever space the attack made it.
        l2: Norms (N,), |x^ - x|_2, of the same change.
        clipped: Share (N,) of values that the attack moved to exactly 0 or 1.
        overflowed: Whether a generator overflowed, (N,) bool. Such an image is
            unchanged, and tells nothing about robustness.
        seconds: Seconds (N,): each sample's share of its batch's time; NaN in
            the first batch of each column, which traces the graph.
        budget: Norms {space: (N,)} of the change in each space.
    """

    attack: str
    model: str
    data: str
    networks: str
    seed: int
    batch_size: int
    samples: int
    versions: str = ""
    origin: str = "unknown"
    correct: np.ndarray = np.zeros(0, bool)
    margin: np.ndarray = np.zeros(0, np.float32)
    loss: np.ndarray = np.zeros(0, np.float32)
    linf: np.ndarray = np.zeros(0, np.float32)
    l2: np.ndarray = np.zeros(0, np.float32)
    clipped: np.ndarray = np.zeros(0, np.float32)
    overflowed: np.ndarray = np.zeros(0, bool)
    seconds: np.ndarray = np.zeros(0, np.float32)
    budget: dict[str, np.ndarray] = {}

    @property
    def done(self) -> int:
        """Number of samples that the record holds."""
        return len(self.correct)

    @property
    def complete(self) -> bool:
        """Whether the record holds all samples."""
        return self.done == self.samples

    @property
    def kind(self) -> str:
        """Kind of the images' origin, e.g. "made here"."""
        return self.origin.partition(":")[0]

    @property
    def images_per_second(self) -> float:
        """Images per second, without batches that trace the graph.

        The number is NaN when there are no other batches.
        """
        timed = self.seconds[np.isfinite(self.seconds)]
        total = timed.sum(dtype=np.float64)
        return float(len(timed) / total) if total > 0 else float("nan")

    def extended(
        self, columns: dict[str, np.ndarray], budget: dict[str, np.ndarray]
    ) -> Record:
        """Returns this record with the numbers of one more batch.

        Args:
            columns: Numbers {attribute of a record: (B,)}.
            budget: Norms {space: (B,)}.
        """

        def joined(before: np.ndarray | None, more: np.ndarray) -> np.ndarray:
            return more if not self.done else np.concatenate([before, more])

        return self._replace(
            budget={
                space: joined(self.budget.get(space), used)
                for space, used in budget.items()
            },
            **{
                name: joined(getattr(self, name), more)
                for name, more in columns.items()
            },
        )


def to_arrays(record: Record) -> dict[str, np.ndarray]:
    """Returns a record as named arrays, the contents of a file.

    Args:
        record: Record.
    """
    settings = {name: getattr(record, name) for name in _SETTINGS}
    settings["format"] = _FORMAT
    columns = {name: getattr(record, name) for name in _COLUMNS}
    for space, used in record.budget.items():
        columns[_BUDGET + space] = used
    return {"settings": np.array(json.dumps(settings)), **columns}


def save(record: Record, path: pathlib.Path) -> None:
    """Writes a record to a file.

    Args:
        record: Record, complete or not.
        path: Path of the file.
    """
    with replaced(path) as aside, open(aside, "wb") as file:
        np.savez_compressed(file, **to_arrays(record))


def load(path: pathlib.Path) -> Record:
    """Reads the record in a file, complete or not.

    Args:
        path: Path of the file.

    Raises:
        ValueError: for a file that is truncated, or no record.
        OSError: for a file that cannot be opened.
    """
    with open(path, "rb") as file:
        try:
            with np.load(file, allow_pickle=False) as arrays:
                return from_arrays(arrays)
        except Exception as error:
            # NumPy raises what its readers raise: zip, zlib, JSON errors.
            raise ValueError(
                f"{path} cannot be read as a record: {reason(error)}. Choose "
                "another folder, or delete that file to evaluate again."
            ) from error


def require_same(found: Record, expected: Record, path: pathlib.Path) -> None:
    """Checks that two records have the same settings.

    Args:
        found: Record that a file holds.
        expected: Record with the settings of this evaluation.
        path: Path of that file, for the error message.

    Raises:
        ValueError: for different settings.
    """
    # A complete record names the versions that made it. A record completed by
    # another version would be of two versions.
    names = [n for n in _SETTINGS if n != "versions" or not found.complete]
    resumable.require_same(
        found._asdict(),
        expected._asdict(),
        f"{path} is the record of another evaluation",
        "Choose another folder, or delete all records of this one. In "
        "eval/main.py the folder is --records.",
        names,
    )


def read(folder: str | os.PathLike) -> dict[str, Record]:
    """Reads the complete records of a folder.

    Records that are not complete are left out, with a warning.

    Args:
        folder: Folder that was given to `evaluate`.

    Returns:
        The `Record` of each column, in a dict, "standard" first, then in
        alphabetical order.

    Raises:
        ValueError: for a folder without complete records, or with a file
            that is not a record.
        OSError: for a file that cannot be opened.
    """
    records = {}
    for path in sorted(
        pathlib.Path(folder).glob("[!.]*.npz"),
        key=lambda path: (path.stem != "standard", path.stem),
    ):
        record = load(path)
        if record.complete:
            records[path.stem] = record
        else:
            checks.warn(
                f"{path} holds {record.done} of {record.samples} samples and "
                "is left out; evaluate again with the same settings to "
                "complete it."
            )
    checks.require(
        records,
        f"There are no complete records in {folder}; evaluate first, or "
        "correct the path.",
    )
    return records


def from_arrays(arrays: Mapping[str, np.ndarray]) -> Record:
    """Returns the record that `to_arrays` turned into arrays.

    Args:
        arrays: Arrays {name: array}, or an open NumPy file of the arrays.

    Raises:
        ValueError: for arrays of another version of the format, or not of a
            record.
        KeyError: where an array is missing.
    """
    settings = json.loads(arrays["settings"].item())
    checks.require(
        settings.get("format") == _FORMAT,
        f"the file has format {settings.get('format', 1)}, and this version "
        f"of the library reads format {_FORMAT}",
    )
    # Older files do not have the entry `overflowed`.
    missing = {"overflowed": np.zeros(len(arrays["correct"]), bool)}
    columns = {
        name: arrays[name] if name in arrays else missing[name]
        for name in _COLUMNS
    }
    budget = {
        name.removeprefix(_BUDGET): arrays[name]
        for name in arrays
        if name.startswith(_BUDGET)
    }
    for name, kind in _SETTINGS.items():
        _expect(type(settings[name]) is kind, name)
    record = Record(
        **{name: settings[name] for name in _SETTINGS}, **columns, budget=budget
    )
    _expect(1 <= record.batch_size, "batch_size")
    _expect(
        record.done <= record.samples
        and (record.complete or record.done % record.batch_size == 0),
        "length",
    )
    kinds = {**_COLUMNS, **{_BUDGET + space: "f" for space in budget}}
    for name, kind in kinds.items():
        column = columns.get(name, budget.get(name.removeprefix(_BUDGET)))
        _expect(
            column.dtype.kind == kind and column.shape == (record.done,), name
        )
    return record


def _expect(condition: Any, what: str) -> None:
    checks.require(condition, f"its entry `{what}` is not valid")
