"""Writes corruptions.npz: what the original CIFAR-10-C code makes.

python -m tests.golden.make_corruptions

Run from the repository's root, with IJSAT_ORACLES as tests/oracles/cifar_c.py
says, OpenCV 5, scikit-image 0.26, and Wand 0.7 over ImageMagick 6.9. Two
pictures are drawn by a formula, and corrupted at severity 2 the first and 5
the second; frost is left out, as it has a substitute here.
"""

import pathlib

import numpy as np

from ijsat_tf.data.corruptions import CORRUPTIONS, SUBSTITUTES
from tests.oracles import cifar_c

PATH = pathlib.Path(__file__).with_name("corruptions.npz")
SEVERITIES = 2, 5


def drawn() -> np.ndarray:
    """A disk on a slope of colours, and stripes beside black and white."""
    row, column = np.mgrid[:32, :32]
    slope = np.stack([4 * row, 7 * column, 255 - 4 * (row + column)], axis=-1)
    disk = (row - 14) ** 2 + (column - 18) ** 2 < 80
    first = np.where(disk[..., np.newaxis], [230, 60, 20], slope)
    second = np.where((row + 2 * column) % 12 < 5, 40, 190)
    second = np.where(column < 8, 0, np.where(column > 26, 255, second))
    second = np.stack([second, second, 255 - second // 2], axis=-1)
    return np.stack([first, second]).clip(0, 255).astype(np.uint8)


def main() -> None:
    original, images = cifar_c.script(), drawn()
    found = {}
    for place, severity in enumerate(SEVERITIES):
        for name in CORRUPTIONS:
            if name not in SUBSTITUTES:
                made = cifar_c.corrupt(original, images, name, severity)
                found[f"{name}_{severity}"] = made[place]
    np.savez_compressed(PATH, images=images, **found)
    print(PATH.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
