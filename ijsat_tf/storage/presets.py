"""Trained networks that come with the library, each with a card beside it."""

from __future__ import annotations

import pathlib

from ijsat_tf import checks


def names(folder: pathlib.Path) -> list[str]:
    """The names of all presets in a folder.

    Args:
        folder: Folder of the files NAME.keras and NAME.md.
    """
    return sorted(path.stem for path in folder.glob("*.keras"))


def path(folder: pathlib.Path, name: str) -> pathlib.Path:
    """The path of a preset, for `keras.saving.load_model`.

    Args:
        folder: Folder of the files NAME.keras and NAME.md.
        name: Name of the preset.

    Raises:
        ValueError: for an unknown name.
    """
    checks.require(
        name in names(folder),
        f"`name` must be a preset, one of {', '.join(names(folder))}; load "
        "your own network with keras.saving.load_model.",
        repr(name),
    )
    return folder / f"{name}.keras"
