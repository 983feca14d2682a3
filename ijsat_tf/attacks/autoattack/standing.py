"""The progress of an AutoAttack, and its state file."""

from __future__ import annotations

import json
import pathlib
from typing import BinaryIO, NamedTuple

import numpy as np

from ijsat_tf.storage import resumable
from ijsat_tf.storage.files import reason, replaced

ALIVE = -1


class Standing(NamedTuple):
    """The samples misclassified so far, and the stages that found them.

    Attributes:
        settings: Settings that determine the run, e.g. the fingerprint of the
            model under "model".
        images: Images (N, H, W, C), adversarial where a stage found such an
            image, else clean.
        fell: Number of the stage that found an adversarial image, from 1,
            (N,) ints; 0 where the clean image is misclassified, -1 where
            nothing was found.
        stage: Number of the stage under way.
        attacked: Number of samples that the stage under way has attacked, of
            the samples not yet misclassified when the stage began.
    """

    settings: dict[str, str]
    images: np.ndarray
    fell: np.ndarray
    stage: int = 1
    attacked: int = 0

    def alive(self, stage: int) -> np.ndarray:
        """Whether each sample was alive after a stage, (N,) bool."""
        return (self.fell == ALIVE) | (self.fell > stage)

    @property
    def left(self) -> np.ndarray:
        """The rows that the stage under way has still to attack."""
        return np.flatnonzero(self.alive(self.stage - 1))[self.attacked :]


def save(standing: Standing, path: pathlib.Path) -> None:
    """Writes a standing, with only the images that an attack has changed."""
    with replaced(path) as aside, open(aside, "wb") as file:
        np.savez(
            file,
            settings=json.dumps(standing.settings),
            fell=standing.fell,
            progress=np.int64([standing.stage, standing.attacked]),
            adversarial=standing.images[standing.fell > 0],
        )


def load(path: pathlib.Path, begun: Standing) -> Standing:
    """Reads a standing from a file.

    Args:
        path: Path of the file.
        begun: Standing of a run with nothing done, whose settings and shapes
            the file must have.

    Raises:
        ValueError: for a file that is truncated or not a state, and for the
            state of another attack, model, data or seed.
        OSError: for a file that cannot be opened.
    """
    with open(path, "rb") as file:
        try:
            settings, fell, progress, adversarial = _parsed(file)
        except Exception as error:
            # Readers raise errors of many types: zip, zlib, JSON errors.
            raise _unreadable(path, reason(error)) from error
    resumable.require_same(
        settings,
        begun.settings,
        f"{path} is the state of another run",
        "Choose another path, or delete that file to begin again.",
        begun.settings,
    )
    shapes = fell.shape, progress.shape, adversarial.shape
    found = np.sum(fell > 0)
    expected = begun.fell.shape, (2,), (found, *begun.images.shape[1:])
    if shapes != expected:
        raise _unreadable(path, f"shapes {shapes}, expected {expected}")
    images = begun.images.copy()
    images[fell > 0] = adversarial
    return begun._replace(
        images=images,
        fell=fell,
        stage=int(progress[0]),
        attacked=int(progress[1]),
    )


def _unreadable(path: pathlib.Path, why: str) -> ValueError:
    return ValueError(
        f"{path} cannot be read as a state of AutoAttack: {why}. Choose "
        "another path, or delete that file to begin again."
    )


def _parsed(
    file: BinaryIO,
) -> tuple[dict[str, str], np.ndarray, np.ndarray, np.ndarray]:
    with np.load(file, allow_pickle=False) as arrays:
        return (
            dict(json.loads(arrays["settings"].item())),
            *(arrays[name] for name in ("fell", "progress", "adversarial")),
        )
