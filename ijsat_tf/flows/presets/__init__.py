"""Trained flows that come with the library, each with a card beside it."""

from __future__ import annotations

import pathlib

from ijsat_tf.storage import presets

_FOLDER = pathlib.Path(__file__).parent


def names() -> list[str]:
    """The names of all presets."""
    return presets.names(_FOLDER)


def path(name: str) -> pathlib.Path:
    """The path of a preset, for `keras.saving.load_model` or `--flow`.

    Args:
        name: Name of the preset, e.g. "glow_cifar10_small".

    Raises:
        ValueError: for an unknown name.
    """
    return presets.path(_FOLDER, name)
