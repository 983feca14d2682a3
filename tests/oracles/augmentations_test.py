"""Mixup, manifold mixup, Cutout and latent augmentation against their
authors' code, on a small network and a small flow that both sides can run.

It runs where PyTorch is installed and IJSAT_ORACLES names a folder with
clones, named after the last part of their addresses, of
https://github.com/facebookresearch/mixup-cifar10,
https://github.com/vikasverma1077/manifold_mixup,
https://github.com/uoguelph-mlrg/Cutout and
https://github.com/okyksl/flow-lp.
"""

import ast
import importlib
import os
import pathlib
import random
import sys
from unittest import mock

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import ijsat_tf as ij
from ijsat_tf import seeds
from ijsat_tf.samples import Batch
from ijsat_tf.training import methods

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
FOLDER = os.environ.get("IJSAT_ORACLES")
if FOLDER is None:
    pytest.skip(
        "IJSAT_ORACLES names no folder with clones of official code",
        allow_module_level=True,
    )

SEED = tf.constant([1, 2])
ROWS, SHAPE, CLASSES = 12, (8, 8, 3), 4
PAIRS = np.arange(ROWS) ^ 1
MEAN, DEVIATION = (125.3, 123.0, 113.9), (63.0, 62.1, 66.7)


def clone(name, file):
    path = pathlib.Path(FOLDER) / name / file
    if not path.exists():
        pytest.skip(f"IJSAT_ORACLES has no clone of {name}")
    return path


def module(name, file):
    path = clone(name, file)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def images_to_torch(images):
    return torch.tensor(np.transpose(images, (0, 3, 1, 2)))


def images_from_torch(images):
    return np.transpose(images.detach().numpy(), (0, 2, 3, 1))


@pytest.fixture
def batch():
    draws = np.random.default_rng(3)
    images = draws.uniform(0.2, 0.8, (ROWS, *SHAPE)).astype("float32")
    labels = draws.integers(0, CLASSES, ROWS)
    return Batch(tf.constant(images), tf.one_hot(labels, CLASSES))


@pytest.fixture
def nets():
    """One network, in Keras and in PyTorch's layers by name."""
    convolutions = {"stage1": (5, 3, 1), "stage2": (6, 2, 2)}
    ours = keras.Sequential([layers.Input(SHAPE)])
    theirs = torch.nn.Module()
    channels = SHAPE[-1]
    for name, (filters, size, stride) in convolutions.items():
        ours.add(
            layers.Conv2D(
                filters, size, stride, "same", activation="tanh", name=name
            )
        )
        convolution = torch.nn.Conv2d(
            channels, filters, size, stride, padding=(size - 1) // 2
        )
        copy(ours.get_layer(name), convolution, (3, 2, 0, 1))
        theirs.add_module(
            name, torch.nn.Sequential(convolution, torch.nn.Tanh())
        )
        channels = filters
    ours.add(layers.GlobalAveragePooling2D())
    ours.add(layers.Dense(CLASSES, name="logits"))
    theirs.linear = torch.nn.Linear(channels, CLASSES)
    ours.get_layer("logits").kernel.assign(
        3 * ours.get_layer("logits").kernel  # So that classes differ.
    )
    copy(ours.get_layer("logits"), theirs.linear, (1, 0))
    theirs.forward = lambda x: theirs.linear(
        theirs.stage2(theirs.stage1(x)).mean((2, 3))
    )
    return ours, theirs


def copy(layer, other, order):
    kernel = np.ascontiguousarray(np.transpose(layer.kernel, order))
    with torch.no_grad():
        other.weight.copy_(torch.tensor(kernel))
        other.bias.copy_(torch.tensor(np.array(layer.bias)))


def compare(name, ours, theirs):
    ours, theirs = float(tf.reduce_mean(ours)), float(theirs.detach())
    print(f"{name}: ours {ours:.8f}, theirs {theirs:.8f}")
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def hard(batch):
    return torch.tensor(np.argmax(batch.labels, axis=1))


def test_mixup(batch, nets, monkeypatch):
    ours, theirs = nets
    method = methods.Mixup()
    mixture = method.mixture(batch, SEED)
    losses, *_ = method.loss(ours, mixture, mixture.images)

    # Their file is a script: two of its functions are run.
    tree = ast.parse(clone("mixup-cifar10", "train.py").read_text())
    tree.body = [
        part
        for part in tree.body
        if getattr(part, "name", "") in ("mixup_data", "mixup_criterion")
    ]
    official = {"np": np, "torch": torch}
    exec(compile(tree, "train.py", "exec"), official)
    weight = ij.mixup.alphas(1, method.tau, SEED, "batch")[0]
    drawn = []
    monkeypatch.setattr(
        np.random, "beta", lambda *both: drawn.append(both) or float(weight)
    )
    monkeypatch.setattr(torch, "randperm", lambda rows: torch.tensor(PAIRS))
    images, one, other, weight = official["mixup_data"](
        images_to_torch(batch.images), hard(batch), use_cuda=False
    )
    expected = official["mixup_criterion"](
        torch.nn.CrossEntropyLoss(), theirs(images), one, other, weight
    )
    assert drawn == [(method.tau, method.tau)]
    np.testing.assert_allclose(
        mixture.images, images_from_torch(images), atol=1e-6
    )
    compare("Mixup", losses, expected)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_manifold_mixup(batch, nets, place, monkeypatch):
    ours, theirs = nets
    method = methods.ManifoldMixup()
    crafted = method.craft(ours, batch, SEED)
    crafted = crafted._replace(place=tf.constant(place))
    losses, *_ = method.loss(ours, batch, crafted)

    folder = clone("manifold_mixup", "supervised/main.py").parent
    absent = ["load_data", "matplotlib", "matplotlib.pyplot"]
    absent = {name: mock.MagicMock() for name in absent}
    with mock.patch.dict(sys.modules, absent):
        monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
        official = module("manifold_mixup", "supervised/models/preresnet.py")
    for name in ("utils", "load_data"):
        sys.modules.pop(name, None)
    # Their forward pass, with stages of ours in it.
    net = official.PreActResNet.__new__(official.PreActResNet)
    torch.nn.Module.__init__(net)
    net.num_classes, net.per_img_std = CLASSES, False
    net.conv1 = net.layer3 = net.layer4 = torch.nn.Identity()
    net.layer1, net.layer2, net.linear = (
        theirs.stage1,
        theirs.stage2,
        theirs.linear,
    )
    monkeypatch.setattr(torch.Tensor, "cuda", lambda self: self)
    monkeypatch.setattr(random, "randint", lambda low, high: place)
    monkeypatch.setattr(
        np.random, "beta", lambda *both: float(crafted.alpha[0])
    )
    monkeypatch.setattr(np.random, "permutation", lambda rows: PAIRS)
    logits, labels = net(
        images_to_torch(batch.images),
        hard(batch),
        mixup_hidden=True,
        mixup_alpha=method.tau,
    )
    expected = torch.nn.BCELoss()(torch.softmax(logits, dim=1), labels)
    compare(f"ManifoldMixup at place {place}", losses, expected)


@pytest.mark.parametrize("length", [2, 4, 6])
def test_cutout(batch, nets, length, monkeypatch):
    ours, theirs = nets
    mean, deviation = np.array(MEAN) / 255, np.array(DEVIATION) / 255
    normalised = keras.Sequential(
        [
            layers.Input(SHAPE),
            layers.Rescaling(1 / deviation, -mean / deviation),
            ours,
        ]
    )
    draws = np.random.default_rng(4)
    centres = draws.integers(0, 8, (ROWS, 2)).astype("int32")
    columns = iter(tf.constant(centres.T[..., None]))
    monkeypatch.setattr(
        seeds, "of_this_replica", lambda draw, rows: next(columns)
    )
    method = methods.Cutout(length)
    mixture = method.mixture(batch, SEED)
    losses, *_ = method.loss(normalised, mixture, mixture.images)

    order = iter(centres.ravel())
    monkeypatch.setattr(np.random, "randint", lambda size: next(order))
    official = module("Cutout", "util/cutout.py").Cutout(1, length)
    images = (batch.images.numpy() - mean) / deviation
    images = images_to_torch(images.astype("float32"))
    images = torch.stack([official(image) for image in images])
    np.testing.assert_allclose(
        (mixture.images - mean) / deviation,
        images_from_torch(images),
        atol=1e-5,
    )
    expected = torch.nn.CrossEntropyLoss()(theirs(images), hard(batch))
    compare(f"Cutout of {length}", losses, expected)


class Flow:
    """z = A arctanh(2 x - 1) with a fixed matrix A, and its inverse."""

    def __init__(self):
        size = int(np.prod(SHAPE))
        noise = np.random.default_rng(5).normal(size=(size, size))
        # Of singular values from 0.5 to 2, so that directions matter.
        left, _, right = np.linalg.svd(noise)
        values = np.geomspace(0.5, 2, size)
        self.matrix = ((left * values) @ right).astype("float32")
        self.inverse = ((right.T / values) @ left.T).astype("float32")

    def encode(self, images):
        logits = tf.atanh(2 * images - 1)
        return tf.reshape(logits, [-1, len(self.matrix)]) @ self.matrix

    def decode(self, latents):
        moved = tf.tanh(latents @ self.inverse)
        return tf.reshape((moved + 1) / 2, [-1, *SHAPE])

    def eval(self):
        pass

    def zero_grad(self):
        pass

    def __call__(self, items, reverse):
        """As the official code calls its flow, with latents as images."""
        rows = items.permute(0, 2, 3, 1).reshape(len(items), -1)
        if reverse:
            rows = (torch.tanh(rows @ torch.tensor(self.inverse)) + 1) / 2
        else:
            rows = torch.atanh(2 * rows - 1) @ torch.tensor(self.matrix)
        return rows.reshape(-1, *SHAPE).permute(0, 3, 1, 2), None


def start_of(ball, draw):
    """The start of ours, as images are in PyTorch."""
    start = ball.start(tf.zeros([ROWS, int(np.prod(SHAPE))]), draw)
    return images_to_torch(tf.reshape(start, [ROWS, *SHAPE]).numpy())


def test_adversarial_la(batch, nets, monkeypatch):
    ours, theirs = nets
    flow = Flow()
    method = methods.AdversarialLA(flow)
    crafted = method.craft(ours, batch, SEED)
    losses, *_ = method.loss(ours, batch, crafted)

    draw = seeds.derive(SEED, "start", 0)
    start = start_of(method.attack.latent, draw)
    monkeypatch.setattr(
        torch.Tensor, "uniform_", lambda self, low, high: self.copy_(start)
    )
    official = module("flow-lp", "flpert/pert.py").FlowAdvPert(
        flow,
        theirs,
        torch.nn.CrossEntropyLoss(),
        num_steps=3,
        epsilon=1.0,
        alpha=0.5,
        ord=2,
        clamp=(0.0, 1.0),
    )
    images = official(images_to_torch(batch.images))
    found = images_from_torch(images)
    own = np.argmax(ours(batch.images), axis=1)
    assert (own != np.argmax(batch.labels, axis=1)).any()
    moved = np.abs(found - batch.images).max()
    gap = np.abs(found - crafted).max()
    print(f"AdversarialLA: images moved by {moved:.3f}, gap {gap:.1e}")
    np.testing.assert_allclose(crafted, found, atol=1e-5)
    expected = torch.nn.CrossEntropyLoss()(theirs(images), hard(batch))
    compare("AdversarialLA", losses, expected)


def test_randomized_la(batch, nets, monkeypatch):
    ours, theirs = nets
    flow = Flow()
    method = methods.RandomizedLA(flow, radius=3.0)
    crafted = method.craft(ours, batch, SEED)
    losses, *_ = method.loss(ours, batch, crafted)

    # Their draws are far outside of the ball, as many as there are.
    start = 1e3 * start_of(method.space.ball, SEED)
    monkeypatch.setattr(
        torch.Tensor, "normal_", lambda self, mean, std: self.copy_(start)
    )
    official = module("flow-lp", "flpert/pert.py").FlowRandPert(
        flow, epsilon=3.0, ord=2, clamp=(0.0, 1.0)
    )
    images = official(images_to_torch(batch.images))
    found = images_from_torch(images)
    gap = np.abs(found - crafted).max()
    print(f"RandomizedLA: gap {gap:.1e}")
    np.testing.assert_allclose(crafted, found, atol=1e-5)
    expected = torch.nn.CrossEntropyLoss()(theirs(images), hard(batch))
    compare("RandomizedLA", losses, expected)
