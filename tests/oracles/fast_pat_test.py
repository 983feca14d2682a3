"""FastPAT against its authors' attack and the lines that train on it.

It runs where PyTorch is installed and IJSAT_ORACLES names a folder with
clones of https://github.com/cassidylaidlaw/perceptual-advex and
https://github.com/tml-epfl/adv-training-corruptions, named so; the network is
the latter's, as it trained Fast PAT for CIFAR-10-C.
"""

import importlib
import os
import pathlib
import sys
from unittest import mock

import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf import seeds
from ijsat_tf.samples import Batch
from ijsat_tf.training import methods
from tests.oracles import preact

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
if "IJSAT_ORACLES" not in os.environ:
    pytest.skip("IJSAT_ORACLES is not set", allow_module_level=True)
FOLDER = pathlib.Path(os.environ["IJSAT_ORACLES"])
for name in ("perceptual-advex", "adv-training-corruptions"):
    if not (FOLDER / name).exists():
        pytest.skip(f"{FOLDER / name} is missing", allow_module_level=True)
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
SEED = tf.constant([1, 2])


@pytest.fixture(scope="module")
def official():
    with mock.patch.dict(sys.modules):
        sys.modules.update({name: mock.MagicMock() for name in ABSENT})
        sys.path.insert(0, str(FOLDER / "perceptual-advex"))
        yield importlib.import_module("perceptual_advex.perceptual_attacks")
        sys.path.remove(str(FOLDER / "perceptual-advex"))


class WithFeatures(torch.nn.Module):
    """A network with what the official attack asks of one."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def features(self, x):
        x = self.network.conv1(self.network.normalize(x))
        found = []
        for number in (1, 2, 3, 4):
            x = getattr(self.network, f"layer{number}")(x)
            found.append(x)
        return tuple(found)

    def features_logits(self, x):
        features = self.features(x)
        x = torch.relu(self.network.bn(features[-1])).mean((2, 3))
        return features, self.network.linear(x)

    def forward(self, x):
        return self.network(x)


@pytest.fixture(scope="module")
def case():
    """Our network, images, and labels of which two in three are right."""
    ours = preact.classifier()
    images = np.random.default_rng(1).random((6, 32, 32, 3))
    labels = np.argmax(ours(images, training=False), axis=1)
    labels = np.where(np.arange(6) % 3 < 2, labels, (labels + 1) % 10)
    return ours, images, labels


@pytest.mark.parametrize("bound", [0.5, 0.02])
def test_images_loss_and_gradients(bound, official, case, monkeypatch):
    ours, images, labels = case
    models = preact.models(FOLDER)
    theirs = preact.theirs(models, ours)
    x, y = preact.to_torch(images), torch.tensor(labels)
    noise = seeds.normal(tf.constant(images), seeds.derive(SEED, "start"))

    theirs.eval()
    with torch.no_grad():
        to_attack = theirs(x).argmax(1) == y
    assert to_attack.sum() == 4
    start = 0.01 * preact.to_torch(noise)[to_attack]
    monkeypatch.setattr(
        torch.Tensor, "normal_", lambda self, *_: self.copy_(start)
    )
    attack = official.FastLagrangePerceptualAttack(
        WithFeatures(theirs), bound=bound, num_iterations=10
    )
    attacked = x.clone()
    attacked[to_attack] = attack(x[to_attack], y[to_attack])
    theirs.train()
    theirs.zero_grad()
    loss = torch.nn.functional.cross_entropy(theirs(attacked), y)
    loss.backward()

    method = methods.FastPAT(bound)
    batch = Batch(tf.constant(images), tf.one_hot(labels, 10))
    crafted = method.craft(ours, batch, SEED)
    gap = (preact.to_torch(crafted) - attacked).abs().max()
    moved = (attacked - x).abs().amax((1, 2, 3))
    print(f"bound {bound}: largest gap of images {float(gap):.1e}")
    print(f"largest change {float(moved.max()):.2f}")
    assert (moved[to_attack] > 1e-3).all() and (moved[~to_attack] == 0).all()
    assert gap < 1e-4
    before = ours.get_weights()
    preact.compare(ours, theirs, method, batch, crafted, float(loss.detach()))
    ours.set_weights(before)
