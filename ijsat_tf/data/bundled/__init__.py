"""Test images that come with the library, so that an example needs no data."""

from __future__ import annotations

import pathlib

import numpy as np
import tensorflow as tf

from ijsat_tf.checks import require

_FOLDER = pathlib.Path(__file__).parent
_SIDE, _CLASSES, _EACH = 32, 10, 10


def samples(
    name: str = "cifar10", n: int = _CLASSES * _EACH
) -> tuple[np.ndarray, np.ndarray]:
    """Returns original test images with their labels, without a download.

    The images are the first ten test images of each class. One image of each
    class follows another, so the first 10, 20, ... images are balanced.

    Args:
        name: Name of the data set, default "cifar10", the only one.
        n: Number of images, 1 to 100, default 100.

    Returns:
        Images (n, 32, 32, 3), float32 in [0, 1], and labels (n,), int32.

    Raises:
        ValueError: for another name or number; `ijsat_tf.data.load` reads
            whole data sets.

    Source: Krizhevsky, Learning Multiple Layers of Features from Tiny Images,
    2009; https://www.cs.toronto.edu/~kriz/cifar.html.
    """
    require(
        name == "cifar10",
        "`name` must be 'cifar10'; read other data sets with "
        "ijsat_tf.data.load.",
        repr(name),
    )
    require(
        isinstance(n, (int, np.integer)) and 1 <= n <= _CLASSES * _EACH,
        "`n` must be a whole number from 1 to 100; read more images with "
        "ijsat_tf.data.load('cifar10', 'test').",
        repr(n),
    )
    # One row of the picture per class, so that a person can look at the file.
    sheet = tf.io.decode_png((_FOLDER / "cifar10.png").read_bytes()).numpy()
    rows = sheet.reshape(_CLASSES, _SIDE, _EACH, _SIDE, 3)
    images = rows.transpose(2, 0, 1, 3, 4).reshape(-1, _SIDE, _SIDE, 3)
    labels = np.tile(np.arange(_CLASSES, dtype=np.int32), _EACH)
    return np.float32(images[:n]) / np.float32(255), labels[:n]
