"""Short hashes that tell models and data apart."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

_DIGITS = 16


def of_arrays(*arrays: Any) -> str:
    """A hash of values, shapes and dtypes, in order.

    Args:
        *arrays: NumPy arrays or tensors.

    Returns:
        16 hexadecimal digits of SHA-256.
    """
    digest = hashlib.sha256()
    for array in map(np.asarray, arrays):
        digest.update(f"{array.dtype.name}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8))
    return digest.hexdigest()[:_DIGITS]


def of_networks(*networks: keras.layers.Layer) -> str:
    """A hash of the weights of networks, and of what their layers are.

    Names play no part, as they may differ between two loads of one file. Most
    of the layers' settings play no part either: two networks of equal weights
    and layers have the same hash even if, for example, strides differ.

    Args:
        *networks: Keras layers and models.

    Returns:
        16 hexadecimal digits of SHA-256.
    """
    layers = [line for net in networks for line in _layers(net)]
    weights = [weight.numpy() for net in networks for weight in net.weights]
    return of_arrays(np.array(layers, "U"), *weights)


def of_model(model: Callable, logits: Any) -> str:
    """A hash of a model's weights, or else of its outputs.

    Args:
        model: Keras model, or a function, whose weights cannot be seen.
        logits: Outputs (B, K) of the model for images that are always the same.
            The outputs are rounded, because another machine may compute other
            last digits.

    Returns:
        16 hexadecimal digits of SHA-256.
    """
    if isinstance(model, keras.layers.Layer):
        return of_networks(model)
    return of_arrays(np.round(logits, 3))


def _layers(layer: keras.layers.Layer) -> Iterator[str]:
    # A model's own dtype is skipped: it may be that of the process that loaded
    # it.
    if getattr(layer, "layers", None):
        for each in layer.layers:
            yield from _layers(each)
        return
    activation = getattr(layer, "activation", None)
    yield " ".join(
        [
            type(layer).__name__,
            layer.compute_dtype,
            getattr(activation, "__name__", ""),
        ]
    )
