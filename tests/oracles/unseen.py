"""What the runs of the original unseen attacks and of ours share."""

import os
import pathlib
from typing import Any, NamedTuple

import numpy as np

STEPS = 50
SEEDS = 5


class Row(NamedTuple):
    """An attack of the original package, and the same of this one.

    Both count budgets and steps in the same units; a step of None is
    budget / sqrt(STEPS), as in the original's scripts.
    """

    original: str
    its_settings: dict[str, Any]
    ours: str
    settings: dict[str, Any]
    budget: float
    step: float | None = None


CIFAR = {"kernel_size": 5, "kernel_std": 3 / 224 * 32}
WIDE = {"kernel": 25, "std": 3.0}
L1 = {"opt": "l1"}, "JPEG", {"norm": "l1"}
L2 = {"opt": "l2"}, "JPEG", {"norm": "l2"}
ATTACKS = {
    "elastic": Row("ElasticAttack", CIFAR, "Elastic", {}, 0.25),
    "elastic, kernel 25": Row("ElasticAttack", {}, "Elastic", WIDE, 0.5),
    "jpeg, linf": Row("JPEGAttack", {}, "JPEG", {}, 0.0625),
    "jpeg, l1": Row("JPEGAttack", *L1, 16.0),
    "jpeg, l2": Row("JPEGAttack", *L2, 2.0),
    "fog": Row("FogAttack", {}, "Fog", {}, 128.0, 0.01),
    "snow": Row("SnowAttack", {}, "Snow", {}, 0.0625, 0.01),
    "gabor": Row("GaborAttack", {}, "Gabor", {}, 12.5, 0.002236),
}


def shared() -> pathlib.Path:
    return pathlib.Path(os.environ["IJSAT_SHARED"])


def load_images(count: int = 200):
    """The first test images of CIFAR-10, in [0, 1], and their labels."""
    run = np.load(shared() / "golden/autoattack_cifar_cnn_a_mix_4_255.npz")
    images = run["x"][:count].astype("float32") / np.float32(255)
    return images, run["y"][:count].astype("int64")


def weights() -> dict[str, np.ndarray]:
    """Those of cifar_cnn_a_mix, by PyTorch's names and in its layout."""
    file = shared() / "models/cifar10_robust_small/cifar_cnn_a_mix.npz"
    with np.load(file) as found:
        return dict(found)
