"""A Keras classifier as a PyTorch function with the same weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import torch
import torch.nn.functional as F


def twin(net: keras.Model) -> Callable[[torch.Tensor], torch.Tensor]:
    """The PyTorch function from images (B, C, H, W) in [0, 1] to logits.

    Args:
        net: Functional or sequential network of plain convolutions, dense
            layers, paddings, additions, ReLUs, flattening and normalisation.

    Raises:
        ValueError: for a layer of another kind.
    """
    graph = getattr(net, "_functional", net)
    ready = {id(each): _translated(each) for each in graph.operations}

    def logits(images: torch.Tensor) -> torch.Tensor:
        return graph._run_through_graph(
            [images], lambda layer: ready[id(layer)]
        )

    return logits


def _translated(layer: keras.layers.Layer) -> Callable[..., torch.Tensor]:
    kind = type(layer).__name__
    if kind not in _KINDS:
        raise ValueError(
            f"A layer of kind {kind} has no twin here; choose among "
            f"{', '.join(_KINDS)}."
        )
    return _KINDS[kind](layer)


def _activated(layer: Any, call: Callable) -> Callable:
    name = layer.activation.__name__
    if name not in ("linear", "relu"):
        raise ValueError(f"The activation {name} has no twin here.")
    return (lambda x: F.relu(call(x))) if name == "relu" else call


def _weights(layer: Any) -> list[torch.Tensor]:
    return [torch.tensor(weight.numpy()) for weight in layer.weights]


def _convolution(layer: Any) -> Callable:
    kernel, *bias = _weights(layer)
    kernel = kernel.permute(3, 2, 0, 1).contiguous()
    stride, size = layer.strides[0], layer.kernel_size[0]

    def call(x: torch.Tensor) -> torch.Tensor:
        total = 0
        if layer.padding == "same":
            outputs = -(-x.shape[2] // stride)
            total = max((outputs - 1) * stride + size - x.shape[2], 0)
        side = total // 2
        if total % 2:
            x, side = F.pad(x, (side, side + 1) * 2), 0
        return F.conv2d(x, kernel, *bias, stride=stride, padding=side)

    return _activated(layer, call)


def _dense(layer: Any) -> Callable:
    kernel, *bias = _weights(layer)
    return _activated(layer, lambda x: F.linear(x, kernel.T, *bias))


def _normalization(layer: Any) -> Callable:
    mean, variance = (
        torch.tensor(part.numpy().reshape(1, -1, 1, 1))
        for part in (layer.mean, layer.variance)
    )
    return lambda x: (x - mean) / variance.sqrt()


def _padding(layer: Any) -> Callable:
    (top, bottom), (left, right) = layer.padding
    return lambda x: F.pad(x, (left, right, top, bottom))


def _permutation(layer: Any) -> Callable:
    # `dims` counts axes with channels last: N C H W becomes N H W C for it.
    last = [0, *layer.dims]
    return lambda x: x.permute(0, 2, 3, 1).permute(last).permute(0, 3, 1, 2)


_KINDS = {
    "InputLayer": lambda layer: lambda x: x,
    "Normalization": _normalization,
    "ZeroPadding2D": _padding,
    "Conv2D": _convolution,
    "ReLU": lambda layer: F.relu,
    "Relu": lambda operation: F.relu,
    "Add": lambda layer: (
        lambda one, *other: one + other[0] if other else sum(one)
    ),
    "Permute": _permutation,
    # Keras flattens with channels last.
    "Flatten": lambda layer: lambda x: x.permute(0, 2, 3, 1).flatten(1),
    "Dense": _dense,
}
