"""TRADES and MART against their authors' code, on their ResNet-18.

It runs where PyTorch is installed and IJSAT_ORACLES names a folder with
clones of https://github.com/yaodongyu/TRADES and
https://github.com/YisenWang/MART, named TRADES and MART.
"""

import importlib.util
import os
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf.samples import Batch
from ijsat_tf.training import methods

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
FOLDER = os.environ.get("IJSAT_ORACLES")
if FOLDER is None:
    pytest.skip(
        "IJSAT_ORACLES names no folder with clones of TRADES and MART",
        allow_module_level=True,
    )

OFFICIAL = {
    "TRADES": ("trades.py", "trades_loss", "models/resnet.py"),
    "MART": ("mart.py", "mart_loss", "resnet.py"),
}
BETA = 6.0


def module(name, file):
    path = pathlib.Path(FOLDER) / name / file
    spec = importlib.util.spec_from_file_location(path.stem, path)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def names(ours, theirs):
    """{the name of a weight there: the layer here and its place in it}."""
    found = {"linear.weight": ("logits", 0), "linear.bias": ("logits", 1)}

    def pair(convolution, norm, name):
        found[f"{convolution}.weight"] = (f"{name}_convolution", 0)
        for place, part in enumerate(
            ("weight", "bias", "running_mean", "running_var")
        ):
            found[f"{norm}.{part}"] = (f"{name}_norm", place)

    pair("conv1", "bn1", "stem")
    for stage in (1, 2, 3, 4):
        for block, name in enumerate((f"stage{stage}_block1", f"stage{stage}")):
            there = f"layer{stage}.{block}"
            for number in (1, 2):
                pair(
                    f"{there}.conv{number}",
                    f"{there}.bn{number}",
                    f"{name}_{number}",
                )
            if f"{there}.shortcut.0.weight" in theirs.state_dict():
                pair(
                    f"{there}.shortcut.0", f"{there}.shortcut.1", f"{name}_skip"
                )
    assert len(found) == len(ours.weights)
    return found


def to_torch(array):
    """A kernel in PyTorch's order of axes."""
    array = np.asarray(array)
    if array.ndim == 4:
        return np.transpose(array, (3, 2, 0, 1))
    return array.T


@pytest.fixture(scope="module")
def ours():
    """Our ResNet-18, moved from where it starts.

    In float64 but for the logits: in float32 a few of the activations that
    are almost 0 differ in their sign, and gradients by percents.
    """
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy("float64")
    net = ij.models.resnet18(10)
    keras.config.set_dtype_policy("float32")
    draws = np.random.default_rng(0)
    for weight in net.weights:
        spread = draws.uniform(0.7, 1.3, weight.shape)
        weight.assign(weight.numpy() * spread)
    return net


@pytest.fixture(scope="module")
def data():
    draws = np.random.default_rng(1)
    images = draws.random((16, 32, 32, 3)).astype("float32")
    labels = draws.integers(0, 10, 16)
    noise = draws.choice([-8 / 255, 8 / 255], images.shape)
    attacked = np.clip(images + noise, 0, 1).astype("float32")
    return images, attacked, labels


@pytest.mark.parametrize("name", OFFICIAL)
def test_loss_and_gradients(name, ours, data, monkeypatch):
    file, function, network = OFFICIAL[name]
    images, attacked, labels = data
    theirs = module(name, network).ResNet18()
    table = names(ours, theirs)
    state = theirs.state_dict()
    for there, (layer, place) in table.items():
        value = to_torch(ours.get_layer(layer).weights[place])
        state[there] = torch.tensor(np.ascontiguousarray(value))
    theirs.double().load_state_dict(state)

    def tensor(array):
        return torch.tensor(np.transpose(array, (0, 3, 1, 2))).double()

    # Their crafting starts from 0.001 times this noise, and without a norm
    # it takes no step: so both losses are of the same images.
    start = (tensor(attacked) - tensor(images)) / 0.001
    monkeypatch.setattr(torch, "randn", lambda *shape: start)
    monkeypatch.setattr(torch.Tensor, "cuda", lambda self: self)
    loss = getattr(module(name, file), function)(
        theirs,
        tensor(images),
        torch.tensor(labels),
        torch.optim.SGD(theirs.parameters(), 0.1),
        beta=BETA,
        distance="none",
    )
    loss.backward()

    attack = ij.attacks.PGD(ij.spaces.Linf(8 / 255))
    method = getattr(methods, name)(attack, BETA)
    batch = Batch(tf.constant(images), tf.one_hot(labels, 10))
    with tf.GradientTape() as tape:
        each, _, _ = method.loss(ours, batch, tf.constant(attacked))
        mean = tf.reduce_mean(each)
    gradients = dict(
        zip(
            (id(weight) for weight in ours.trainable_weights),
            tape.gradient(mean, ours.trainable_variables),
        )
    )
    print(f"{name}: ours {float(mean):.7f}, theirs {float(loss.detach()):.7f}")
    np.testing.assert_allclose(float(mean), float(loss.detach()), rtol=1e-5)
    worst = 0.0
    for there, parameter in theirs.named_parameters():
        layer, place = table[there]
        mine = to_torch(gradients[id(ours.get_layer(layer).weights[place])])
        gap = np.abs(mine - parameter.grad.numpy()).max()
        worst = max(worst, gap / np.abs(parameter.grad.numpy()).max())
    print(f"{name}: largest relative gap of gradients {worst:.1e}")
    assert worst < 1e-4
