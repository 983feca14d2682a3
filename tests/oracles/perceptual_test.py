"""Perceptual attacks against their authors' code, on a robust CIFAR-10 net.

It runs where PyTorch is installed, IJSAT_ORACLES names a folder with a clone
of https://github.com/cassidylaidlaw/perceptual-advex, IJSAT_DATA_DIR one with
CIFAR-10 in TFDS' layout, and IJSAT_SHARED one with
models/cifar10_robust_small/cifar_cnn_a_mix.npz, weights in PyTorch's layout.
"""

import importlib
import os
import pathlib
import sys
from unittest import mock

import keras
import numpy as np
import pytest
from keras import layers

import ijsat_tf as ij

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
for variable in ("IJSAT_ORACLES", "IJSAT_DATA_DIR", "IJSAT_SHARED"):
    if variable not in os.environ:
        pytest.skip(f"{variable} is not set", allow_module_level=True)

OFFICIAL = pathlib.Path(os.environ["IJSAT_ORACLES"]) / "perceptual-advex"
FILE = "models/cifar10_robust_small/cifar_cnn_a_mix.npz"
WEIGHTS = np.load(pathlib.Path(os.environ["IJSAT_SHARED"]) / FILE)
MEAN, DEVIATION = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)
NAMES = ("stage1", "0"), ("stage2", "2"), ("hidden", "5"), ("logits", "7")
# What the official code imports for other networks and data sets.
ABSENT = [
    "torchvision",
    "torchvision.models",
    "robustness",
    "robustness.datasets",
    "robustness.model_utils",
    "robustness.attacker",
    "robustness.cifar_models",
    "robustness.cifar_models.resnet",
    "advex_uar",
    "advex_uar.common",
    "perceptual_advex.datasets",
]


@pytest.fixture(scope="module")
def official():
    absent = {name: mock.MagicMock() for name in ABSENT}
    with mock.patch.dict(sys.modules, absent):
        sys.path.insert(0, str(OFFICIAL))
        yield importlib.import_module("perceptual_advex.perceptual_attacks")
        sys.path.remove(str(OFFICIAL))


class Theirs(torch.nn.Module):
    """The network with what the official code asks of one."""

    def __init__(self):
        super().__init__()
        self.tensors = {name: torch.tensor(WEIGHTS[name]) for name in WEIGHTS}

    def features(self, images):
        mean, deviation = (
            torch.tensor(numbers).reshape(1, 3, 1, 1)
            for numbers in (MEAN, DEVIATION)
        )
        first = self._convolution((images - mean) / deviation, "0")
        return first, self._convolution(first, "2")

    def features_logits(self, images):
        features = self.features(images)
        hidden = self._dense(features[1].flatten(1), "5")
        return features, self._dense(torch.relu(hidden), "7")

    def forward(self, images):
        return self.features_logits(images)[1]

    def _convolution(self, x, name):
        weight, bias = (self.tensors[f"{name}.{w}"] for w in ("weight", "bias"))
        x = torch.nn.functional.conv2d(x, weight, bias, stride=2, padding=1)
        return torch.relu(x)

    def _dense(self, x, name):
        weight, bias = (self.tensors[f"{name}.{w}"] for w in ("weight", "bias"))
        return torch.nn.functional.linear(x, weight, bias)


@pytest.fixture(scope="module")
def ours():
    inputs = keras.Input((32, 32, 3))
    x = layers.Normalization(mean=MEAN, variance=np.square(DEVIATION))(inputs)
    for name, channels in (("stage1", 16), ("stage2", 32)):
        x = layers.ZeroPadding2D(1)(x)
        x = layers.Conv2D(channels, 4, 2, activation="relu", name=name)(x)
    x = layers.Flatten()(layers.Permute((3, 1, 2))(x))
    x = layers.Dense(100, activation="relu", name="hidden")(x)
    model = keras.Model(inputs, layers.Dense(10, name="logits")(x))
    for layer, name in NAMES:
        kernel = WEIGHTS[f"{name}.weight"]
        order = (2, 3, 1, 0) if kernel.ndim == 4 else (1, 0)
        model.get_layer(layer).set_weights(
            [np.transpose(kernel, order), WEIGHTS[f"{name}.bias"]]
        )
    return model


@pytest.fixture(scope="module")
def data():
    test = ij.data.load("cifar10", "test", os.environ["IJSAT_DATA_DIR"])
    test = test.take(100)
    return test.scaled(), test.labels


def to_torch(images):
    images = np.transpose(np.asarray(images), (0, 3, 1, 2))
    return torch.tensor(np.ascontiguousarray(images))


def test_distance(official, ours, data):
    images, _ = data
    noise = np.random.default_rng(0).normal(size=images.shape, scale=0.03)
    others = np.clip(images + noise, 0, 1).astype("float32")
    distances = importlib.import_module("perceptual_advex.distances")
    expected = distances.LPIPSDistance(Theirs())(
        to_torch(images), to_torch(others)
    )
    found = ij.models.PerceptualDistance(ours)(images, others).numpy()
    print(f"largest gap {np.abs(found - expected.numpy()).max():.1e}")
    np.testing.assert_allclose(found, expected, atol=1e-5)


# The two draw other noise. At smaller bounds their attacks are weaker than
# ours, since their projection adds up the gradients of Newton's iterations;
# with the same sum ours give their figures.
CASES = {
    "FastLagrangePerceptual": (0.015, {"steps": 10}, 10),
    "LagrangePerceptual": (0.2, {"steps": 10}, 10),
    "PerceptualPGD": (0.2, {"steps": 10}, 10),
}


@pytest.mark.parametrize("name", CASES)
def test_robust_accuracy(name, official, ours, data):
    bound, settings, iterations = CASES[name]
    images, labels = data
    distance = ij.models.PerceptualDistance(ours)
    seeds = range(3)
    found = {"theirs": [], "ours": []}
    for seed in seeds:
        torch.manual_seed(seed)
        attack = getattr(official, f"{name}Attack")(
            Theirs(), bound=bound, num_iterations=iterations
        )
        moved = attack(to_torch(images), torch.tensor(labels, dtype=torch.long))
        moved = np.transpose(moved.detach().numpy(), (0, 2, 3, 1))
        attacked = np.clip(moved, 0, 1)
        right = np.argmax(ours(attacked), 1) == labels
        found["theirs"].append((right, distance(images, attacked)))
        result = getattr(ij.attacks, name)(bound, **settings)(
            ours, images, labels, seed=seed
        )
        found["ours"].append((~result.success, result.budget["perceptual"]))
    means = {}
    for who, runs in found.items():
        accuracy, used = (np.mean(part, axis=1) for part in zip(*runs))
        print(f"{name}, {who}: {accuracy}, mean distance {used}")
        means[who] = accuracy.mean()
    assert abs(means["ours"] - means["theirs"]) <= 0.02
    assert 0.05 < means["ours"] < 0.7
