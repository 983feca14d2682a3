"""Trained classifiers that come with the library, each with a card."""

from __future__ import annotations

import pathlib

import keras

from ijsat_tf.storage import presets

_FOLDER = pathlib.Path(__file__).parent


def names() -> list[str]:
    """The names of all presets."""
    return presets.names(_FOLDER)


def path(name: str) -> pathlib.Path:
    """The path of a preset, for `keras.saving.load_model`.

    Args:
        name: Name of the preset, e.g. "resnet18_cifar10_at_small".

    Raises:
        ValueError: for an unknown name.
    """
    return presets.path(_FOLDER, name)


def from_preset(name: str) -> keras.Model:
    """Loads a trained classifier that comes with the library.

    The classifiers are ResNet-18 of width 16 for images (32, 32, 3) in [0, 1]
    of CIFAR-10's ten classes, from the study of the paper's claims. The card
    beside each file, `ijsat_tf/models/presets/NAME.md`, has the data, the
    training and the accuracy under attack.

    Args:
        name: Name of the preset: "resnet18_cifar10_standard_small" was trained
            on images as they are, "resnet18_cifar10_at_small" by adversarial
            training (AT), "resnet18_cifar10_ijsat_small" by IJSAT.

    Returns:
        A classifier that maps images to logits (B, 10).

    Raises:
        ValueError: for an unknown name.
    """
    return keras.saving.load_model(path(name))
