"""Trained flows that come with the library, each with a card beside it."""

from __future__ import annotations

import pathlib

from ijsat_tf import checks

_FOLDER = pathlib.Path(__file__).parent


def names() -> list[str]:
    """Those of the presets."""
    return sorted(path.stem for path in _FOLDER.glob("*.keras"))


def path(name: str) -> pathlib.Path:
    """The file of a preset, for `keras.saving.load_model` or `--flow`.

    Args:
        name: e.g. "glow_cifar10_small".

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
