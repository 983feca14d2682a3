"""RLAT and one-step adversarial training against their authors' script.

It runs where PyTorch is installed and IJSAT_ORACLES names a folder with a
clone of https://github.com/tml-epfl/adv-training-corruptions of that name.
Their `main` itself runs, on one batch: its epoch 0 computes the loss and its
gradient and makes no step.
"""

import importlib.util
import os
import pathlib
import sys
from unittest import mock

import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf.samples import Batch
from ijsat_tf.training import methods
from tests.oracles import preact

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
if "IJSAT_ORACLES" not in os.environ:
    pytest.skip("IJSAT_ORACLES is not set", allow_module_level=True)
FOLDER = pathlib.Path(os.environ["IJSAT_ORACLES"]) / "adv-training-corruptions"
if not FOLDER.exists():
    pytest.skip(f"{FOLDER} is missing", allow_module_level=True)

# What the official code imports for data and for evaluation.
ABSENT = ["pandas", "torchvision", "torchvision.datasets"]
ABSENT += ["torchvision.transforms", "robustbench", "robustbench.utils"]
ABSENT += ["robustbench.data", "matplotlib", "matplotlib.pyplot", "data"]


class OneStep(Exception):
    """Ends their training when the first losses are reported."""


@pytest.fixture
def official(monkeypatch):
    """Their train.py, on a CPU and in float64."""
    with mock.patch.dict(sys.modules):
        sys.modules.update({name: mock.MagicMock() for name in ABSENT})
        for name in ("utils", "models", "train"):
            path = FOLDER / f"{name}.py"
            spec = importlib.util.spec_from_file_location(name, path)
            sys.modules[name] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(sys.modules[name])
        train = sys.modules["train"]
    monkeypatch.setattr(torch.Tensor, "cuda", lambda self, *_: self)
    monkeypatch.setattr(torch, "clamp", clamp_of_2022)
    monkeypatch.setattr(torch.cuda, "FloatTensor", torch.DoubleTensor)
    torch.set_default_dtype(torch.float64)
    yield train
    torch.set_default_dtype(torch.float32)


def clamp_of_2022(x, low, high):
    """torch.clamp with the gradient 1 at its bounds.

    PyTorch had this gradient when the script was written; 2.14 has 0 there.
    Many pixels of photographs are exactly 0 or 1.
    """
    inside = (x >= low) & (x <= high)
    return torch.where(inside, x, x.detach().clamp(low, high))


class OnTheCPU:
    """PyTorch, whose "cuda" is the CPU."""

    def __getattr__(self, name):
        return getattr(torch, name)

    def device(self, name):
        return torch.device("cpu")


@pytest.fixture(scope="module")
def ours():
    return preact.classifier()


@pytest.fixture(scope="module")
def data():
    draws = np.random.default_rng(1)
    # Many values at the ends of [0, 1], as in photographs.
    images = np.clip(draws.normal(0.5, 0.4, (16, 32, 32, 3)), 0, 1)
    return images, draws.integers(0, 10, 16)


def loss_of_main(train, network, data, options, monkeypatch, tmp_path):
    """The loss that their `main` reports for its first batch."""
    images, labels = data
    batches = [(preact.to_torch(images), torch.tensor(labels))]
    found = []

    def report(_, numbers, names):
        found.append(dict(zip(names, numbers))["train_loss"])
        raise OneStep

    with monkeypatch.context() as patch:
        patch.chdir(tmp_path)
        given = ["--epochs=0", f"--batch_size={len(labels)}", *options]
        patch.setattr(sys, "argv", ["train.py", *given])
        patch.setattr(train, "torch", OnTheCPU())
        patch.setattr(train.data, "get_loaders", lambda *_, **__: batches)
        patch.setattr(train.data, "get_cifar10_numpy", lambda: [None] * 4)
        patch.setattr(train.models, "PreActResNet18", lambda *_, **__: network)
        patch.setattr(train, "eval_dataset", lambda *_: (0.0, 0.0))
        patch.setattr(train.utils, "update_metrics", report)
        with pytest.raises(OneStep):
            train.main()
    return found[0]


def test_rlat(official, ours, data, monkeypatch, tmp_path):
    images, labels = data
    theirs = preact.theirs(official.models, ours)
    before = ours.get_weights()
    loss = loss_of_main(
        official,
        theirs,
        data,
        ["--eps=0.08", "--attack=rlat", "--distance=l2"],
        monkeypatch,
        tmp_path,
    )
    # They measure the activations by a first pass in training mode.
    ours(np.zeros_like(images), training=True)
    batch = Batch(tf.constant(images), tf.one_hot(labels, 10))
    method = methods.RLAT()
    preact.compare(ours, theirs, method, batch, batch.images, loss)
    for name in ("stage1_block1_norm", "stage4_norm", "last_norm"):
        there = preact.NORMS[name]
        moved = dict(theirs.named_buffers())
        layer = ours.get_layer(name)
        np.testing.assert_allclose(
            layer.moving_mean,
            moved[f"{there}.running_mean"],
            rtol=1e-4,
            atol=1e-7,
        )
        # PyTorch's is of the unbiased variance, of 16 x 4 x 4 at least.
        np.testing.assert_allclose(
            layer.moving_variance, moved[f"{there}.running_var"], rtol=5e-3
        )
    ours.set_weights(before)


# Their names, their radius and its ball here.
ONE_STEP = {
    "l2": (0.1, ij.spaces.L2(0.1)),
    "linf": (1 / 255, ij.spaces.Linf(1 / 255)),
}


@pytest.mark.parametrize("distance", ONE_STEP)
def test_one_step_adversarial_training(distance, official, ours, data):
    """On images inside of [0, 1]: there it makes no difference that they
    project behind the clip to [0, 1], and FGSM before it."""
    radius, ball = ONE_STEP[distance]
    images, labels = data
    images = 0.1 + 0.8 * images
    theirs = preact.theirs(official.models, ours)
    x, y = preact.to_torch(images), torch.tensor(labels)
    theirs.eval()  # They craft in training mode, this library never does.
    delta = official.utils.attack_pgd_training(
        theirs, x, y, radius, 0.5, 1, rs=False, dist=distance
    )
    theirs.train()
    theirs.zero_grad()
    loss = torch.nn.functional.cross_entropy(theirs(x + delta), y)
    loss.backward()

    before = ours.get_weights()
    method = methods.AT(ij.attacks.FGSM(ball))
    batch = Batch(tf.constant(images), tf.one_hot(labels, 10))
    crafted = method.craft(ours, batch, tf.constant([0, 0]))
    change = preact.to_torch(crafted - images)
    gap = (change - delta).abs().max()
    print(f"{distance}: largest gap of images {float(gap):.1e}")
    if distance == "l2":
        assert gap < 1e-6
    else:
        # Of a gradient of almost 0 the sign may differ.
        assert ((change - delta).abs() > 1e-6).double().mean() < 1e-3
    preact.compare(ours, theirs, method, batch, crafted, float(loss.detach()))
    ours.set_weights(before)
