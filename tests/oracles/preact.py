"""RLAT's PreActResNet-18 with the weights of ours, and what both minimise."""

import importlib.util

import keras
import numpy as np
import tensorflow as tf

import ijsat_tf as ij

MEAN, DEVIATION = (0.4914, 0.4822, 0.4465), (0.2471, 0.2435, 0.2616)
WIDTH = 8
PARTS = "weight", "bias", "running_mean", "running_var"


def _layers():
    """{the name of a convolution here: there}, and of a BatchNorm."""
    convolutions, norms = {"stem": "conv1"}, {"last_norm": "bn"}
    for stage in (1, 2, 3, 4):
        for block, name in enumerate((f"stage{stage}_block1", f"stage{stage}")):
            there = f"layer{stage}.{block}"
            convolutions[f"{name}_1_convolution"] = f"{there}.conv1"
            convolutions[f"{name}_2"] = f"{there}.conv2"
            norms[f"{name}_norm"] = f"{there}.bn1"
            norms[f"{name}_1_norm"] = f"{there}.bn2"
        if stage > 1:
            name, there = f"stage{stage}_block1_skip", f"layer{stage}.0"
            convolutions[name] = f"{there}.shortcut.0"
    return convolutions, norms


CONVOLUTIONS, NORMS = _layers()
# {the name of a weight there: the layer here and its place in it}.
NAMES = {f"{there}.weight": (here, 0) for here, there in CONVOLUTIONS.items()}
NAMES |= {
    f"{there}.{part}": (here, place)
    for here, there in NORMS.items()
    for place, part in enumerate(PARTS)
}
NAMES |= {"linear.weight": ("logits", 0), "linear.bias": ("logits", 1)}


def classifier() -> keras.Model:
    """Our network, moved from where it starts.

    In float64, its two ends too: in float32 a few of the activations that are
    almost 0 differ in their sign, and gradients by percents.
    """
    keras.utils.set_random_seed(0)
    net = ij.models.preact_resnet18(
        10, width=WIDTH, normalization=(MEAN, DEVIATION)
    )
    config = net.get_config()
    for layer in config["layers"]:
        layer["config"]["dtype"] = "float64"
    net = type(net).from_config(config)
    draws = np.random.default_rng(0)
    for weight in net.weights:
        spread = draws.uniform(0.7, 1.3, weight.shape)
        weight.assign(weight.numpy() * spread)
    assert len(NAMES) == len(net.weights)
    return net


def to_torch(array):
    """Images, or a kernel, in PyTorch's order of axes."""
    import torch

    array = np.asarray(array)
    order = {4: (0, 3, 1, 2), 2: (0, 1)}[array.ndim]
    return torch.tensor(np.ascontiguousarray(np.transpose(array, order)))


def kernel(array):
    array = np.asarray(array)
    if array.ndim == 4:
        return np.transpose(array, (3, 2, 0, 1))
    return array.T


def models(folder):
    """Their models.py, from a folder of clones."""
    path = folder / "adv-training-corruptions" / "models.py"
    spec = importlib.util.spec_from_file_location("models", path)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def theirs(models, ours):
    """Their network in training mode with our weights, in float64."""
    import torch

    network = models.PreActResNet18(10, WIDTH, cuda=False)
    state = network.state_dict()
    for there, (layer, place) in NAMES.items():
        value = kernel(ours.get_layer(layer).weights[place])
        state[there] = torch.tensor(np.ascontiguousarray(value))
    network.double().load_state_dict(state)
    return network.train()


def compare(ours, theirs, method, batch, crafted, loss):
    """The loss and its gradients against those that `theirs` holds."""
    with tf.GradientTape() as tape:
        each, _, _ = method.loss(ours, batch, crafted)
        mean = tf.reduce_mean(each)
    found = tape.gradient(mean, ours.trainable_variables)
    gradients = {id(w): g for w, g in zip(ours.trainable_weights, found)}
    print(f"{method!r}: ours {float(mean):.7f}, theirs {loss:.7f}")
    np.testing.assert_allclose(float(mean), loss, rtol=1e-5)
    worst = 0.0
    for there, parameter in theirs.named_parameters():
        layer, place = NAMES[there]
        mine = kernel(gradients[id(ours.get_layer(layer).weights[place])])
        gap = np.abs(mine - parameter.grad.numpy()).max()
        worst = max(worst, gap / np.abs(parameter.grad.numpy()).max())
    print(f"{method!r}: largest relative gap of gradients {worst:.1e}")
    assert worst < 1e-4
