"""Whole attacks against the original advex-uar code, on one classifier.

IJSAT_SHARED names the folder with the classifier cifar_cnn_a_mix and the
first test images of CIFAR-10. What the original code left right of 200, one
number for each of five seeds, was printed by tests/oracles/make_unseen.py.

Patterns are drawn anew for each seed, and Gabor's kernels decide much: over
30 further seeds this package's search left 68.9 right with its own kernels
and 70.1 with kernels that the original drew. Fog depends on the batch: with
batches of one image, the original and this package's `reference` leave 0 of
40 right, as the default does with any batch.
"""

import os

import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf import attacks
from tests.oracles.unseen import ATTACKS, SEEDS, STEPS, load_images, weights

if "IJSAT_SHARED" not in os.environ:
    pytest.skip(
        "IJSAT_SHARED names no folder of pretrained classifiers",
        allow_module_level=True,
    )

CLEAN = 156
ORIGINAL = {
    "elastic": [17, 17, 18, 18, 15],
    "elastic, kernel 25": [61, 59, 64, 62, 61],
    "jpeg, linf": [80, 80, 80, 80, 79],
    "jpeg, l1": [66, 67, 66, 65, 64],
    "jpeg, l2": [56, 57, 56, 56, 57],
    "fog": [57, 55, 54, 58, 53],
    "snow": [131, 126, 130, 131, 119],
    "gabor": [74, 71, 73, 74, 72],
}
# Two points of the 200 images, and two standard errors.
MOST = 4


@pytest.fixture(scope="module")
def model():
    weight = weights()
    mean = np.array([0.4914, 0.4822, 0.4465], "float32")
    deviation = np.array([0.2023, 0.1994, 0.2010], "float32")

    def logits(images):
        images = (images - mean) / deviation
        for name in ("0", "2"):
            kernel = np.transpose(weight[f"{name}.weight"], (2, 3, 1, 0))
            images = tf.pad(images, [[0, 0], [1, 1], [1, 1], [0, 0]])
            images = tf.nn.conv2d(images, kernel, 2, "VALID")
            images = tf.nn.relu(images + weight[f"{name}.bias"])
        # PyTorch flattens channels first.
        rows = tf.reshape(tf.transpose(images, [0, 3, 1, 2]), [-1, 2048])
        rows = tf.nn.relu(rows @ weight["5.weight"].T + weight["5.bias"])
        return rows @ weight["7.weight"].T + weight["7.bias"]

    return logits


def test_clean(model):
    images, labels = load_images()
    predicted = tf.argmax(model(images), axis=1)
    assert np.sum(predicted == labels) == CLEAN


@pytest.mark.parametrize("name", ATTACKS)
def test_attack(name, model):
    row = ATTACKS[name]
    images, labels = load_images()

    def right(reference, seeds):
        attack = getattr(attacks, row.ours)(
            row.budget, row.step, STEPS, reference=reference, **row.settings
        )
        return [
            int(np.sum(~attack(model, images, labels, seed=seed).success))
            for seed in range(seeds)
        ]

    theirs, ours = ORIGINAL[name], right(True, SEEDS)
    print(f"{name}: {theirs}, as it {ours}, by default {right(False, 1)}")
    error = np.hypot(np.std(theirs, ddof=1), np.std(ours, ddof=1))
    gap = abs(np.mean(ours) - np.mean(theirs))
    assert gap <= MOST + 2 * error / SEEDS**0.5
