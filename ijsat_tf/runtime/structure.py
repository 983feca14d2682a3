"""The parts of a Keras network, besides variables, that a graph depends on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras

# Set by `compile`, `fit` and the like, and never read by a call.
_OF_THE_TRAINER = {
    *("optimizer", "loss", "history", "compiled"),
    *("stop_training", "stop_evaluating", "stop_predicting"),
    *("train_function", "test_function", "predict_function"),
    *("steps_per_execution", "jit_compile", "run_eagerly"),
    *("auto_scale_loss", "distribute_reduction_method"),
}
_PLAIN = (int, float, str, bool, bytes, type(None))


class Structure:
    """The present structure of a network, to compare with a later one.

    Two structures are equal unless something in the network changed. A graph
    that was traced before `enable_lora`, `quantize`, `adapt`, `pop`, `add` or
    another dtype policy holds the network as it was: layers, policies,
    constants and settings are part of a graph, and only variables are read
    anew at each call. Of each layer inside the network, public attributes are
    compared: numbers and strings by their values, and variables, tensors,
    functions and all else by identity.

    Args:
        network: Keras layer or model.
    """

    def __init__(self, network: keras.layers.Layer):
        # References, so that no other object gets the ids of these parts.
        self._kept = list(_parts(network))
        self._key = tuple(map(_comparable, self._kept))
        self._hash = hash(self._key)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Structure) and self._key == other._key


def _parts(network: keras.layers.Layer) -> Iterator[Any]:
    for layer in network._flatten_layers():
        yield layer
        yield layer.dtype_policy
        # What a sequential model rebuilds when its layers change.
        yield getattr(layer, "_functional", None)
        for name, setting in vars(layer).items():
            if not name.startswith("_") and name not in _OF_THE_TRAINER:
                yield name
                yield setting
    yield from network.variables


def _comparable(part: Any) -> Any:
    if isinstance(part, keras.DTypePolicy):
        return part.name
    if isinstance(part, _PLAIN):
        return type(part), part
    if isinstance(part, tuple):
        return tuple(map(_comparable, part))
    return id(part)
