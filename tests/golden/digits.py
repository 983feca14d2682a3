"""The small classifier of the golden files, from its stored weights."""

import pathlib

import keras
import numpy as np

PATH = pathlib.Path(__file__).with_name("autoattack_digits.npz")
BALLS = {"Linf": 0.18, "L2": 0.6}
STAGES = ("apgd-ce", "apgd-dlr", "apgd-t", "fab-t", "square")


def make_net() -> keras.Model:
    """Two convolutions and two dense layers, on digits (8, 8, 1)."""
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.Conv2D(32, 3, 2, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10),
        ]
    )


def load() -> tuple[keras.Model, np.ndarray, np.ndarray, dict]:
    """The net, its images in [0, 1] and labels, and all that is stored."""
    with np.load(PATH) as arrays:
        stored = dict(arrays)
    net = make_net()
    net.set_weights([stored[f"weight{n}"] for n in range(len(net.weights))])
    images = (stored["images"] / 16).astype("float32")
    return net, images, stored["labels"].astype("int64"), stored
