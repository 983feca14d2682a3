"""Trained flows that come with the library, each with a card beside it."""

from __future__ import annotations

import pathlib

from ijsat_tf import checks

_FOLDER = pathlib.Path(__file__).parent


def names() -> list[str]:
    """The names of all presets."""
    return sorted(path.stem for path in _FOLDER.glob("*.keras"))


def path(name: str) -> pathlib.Path:
    """The path of a preset, for `keras.saving.load_model` or `--flow`.

    Args:
        name: Name of the preset, e.g. "glow_cifar10_small".

    Raises:
        ValueError: for an unknown name.
    """
    checks.require(
        name in names(),
        f"Unknown preset; choose among {', '.join(names())}, or load a flow "
        "of yours with keras.saving.load_model.",
        repr(name),
    )
    return _FOLDER / f"{name}.keras"
