"""Two adversarially trained CIFAR-10 classifiers, and 500 test images.

IJSAT_SHARED names a folder with models/cifar10_robust_small/*.npz, PyTorch
weights of https://github.com/Verified-Intelligence/alpha-beta-CROWN (BSD), and
golden/autoattack_cifar_cnn_a_mix_4_255.npz, the images x, their labels y and
the official AutoAttack's verdicts alive_*.
"""

import functools
import os
import pathlib

import keras
import numpy as np
import pytest

from ijsat_tf.spaces import Linf

FOLDER = os.environ.get("IJSAT_SHARED")
MEAN = (0.4914, 0.4822, 0.4465)
DEVIATION = {
    "cifar_cnn_a_mix": (0.2023, 0.1994, 0.2010),
    "resnet4b": (0.2471, 0.2435, 0.2616),
}


def _load(file):
    if FOLDER is None:
        pytest.skip("IJSAT_SHARED names no folder with pretrained models")
    return np.load(pathlib.Path(FOLDER) / file)


@functools.cache
def golden():
    """Images (500, 32, 32, 3) in [0, 1], labels, and verdicts by name."""
    data = dict(_load("golden/autoattack_cifar_cnn_a_mix_4_255.npz"))
    return data["x"].astype("float32") / 255, data["y"], data


@functools.cache
def classifier(name):
    """One of the two as a Keras model of images in [0, 1]."""
    weights = dict(_load(f"models/cifar10_robust_small/{name}.npz"))
    inputs = keras.Input((32, 32, 3))
    variance = np.square(DEVIATION[name])
    normalized = keras.layers.Normalization(mean=MEAN, variance=variance)
    build = {"cifar_cnn_a_mix": _cnn, "resnet4b": _residual}[name]
    model = keras.Model(inputs, build(normalized(inputs)))
    for layer in model.layers:
        # Names of layers have no dots.
        key = layer.name.replace("-", ".")
        if f"{key}.weight" in weights:
            kernel = weights[f"{key}.weight"]
            kernel = kernel.transpose(*range(2, kernel.ndim), 1, 0)
            layer.set_weights([kernel, weights[f"{key}.bias"]])
    return model


def _convolution(x, name, filters, size, stride=1):
    padding = "same"
    if (size, stride) == (3, 2):
        # PyTorch pads both sides alike.
        x, padding = keras.layers.ZeroPadding2D()(x), "valid"
    name = name.replace(".", "-")
    return keras.layers.Conv2D(filters, size, stride, padding, name=name)(x)


def _dense(x, name, width):
    return keras.layers.Dense(width, name=name)(x)


def _flat(x):
    return keras.layers.Flatten()(keras.layers.Permute((3, 1, 2))(x))


def _cnn(x):
    x = keras.ops.relu(_convolution(x, "0", 16, 4, 2))
    x = keras.ops.relu(_convolution(x, "2", 32, 4, 2))
    return _dense(keras.ops.relu(_dense(_flat(x), "5", 100)), "7", 10)


def _residual(x):
    x = keras.ops.relu(_convolution(x, "conv1", 16, 3, 2))
    for name, stride in (
        ("layer1.0", 2),
        ("layer1.1", 1),
        ("layer2.0", 2),
        ("layer2.1", 1),
    ):
        inner = _convolution(x, f"{name}.conv1", 32, 3, stride)
        inner = keras.ops.relu(inner)
        inner = _convolution(inner, f"{name}.conv2", 32, 3, 1)
        if stride == 2:
            x = _convolution(x, f"{name}.shortcut.0", 32, 1, 2)
        x = keras.ops.relu(inner + x)
    x = keras.ops.relu(_dense(_flat(x), "linear1", 100))
    return _dense(x, "linear2", 10)


def alive(attack, name):
    """How many images an attack leaves correctly classified."""
    images, labels, _ = golden()
    count = 0
    for first in range(0, 500, 250):
        rows = slice(first, first + 250)
        result = attack(classifier(name), images[rows], labels[rows])
        count += np.count_nonzero(~result.success.numpy())
        change = (result.images - images[rows]).numpy().reshape(250, -1)
        order = np.inf if isinstance(attack.ball, Linf) else 2
        norms = np.linalg.norm(change, order, axis=1)
        assert norms.max() <= attack.ball.radius + 1e-6
    return count
