"""A classifier as an attack runs it: less to do, the same to see."""

from __future__ import annotations

import collections
import functools
import inspect
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf


def inference(model: keras.Model) -> Callable[[tf.Tensor], tf.Tensor]:
    """A classifier in inference mode, ready to be called often.

    In a functional model a BatchNorm behind a convolution is part of its
    kernel and bias, gamma / sqrt(variance + epsilon) W and so on, which are
    formed here once and not at every call. The mean and the deviation of a
    `Normalization` are spread over the image.

    Args:
        model: a Keras model from images to logits.

    Returns:
        A function of images (B, H, W, C), equal to `model(images,
        training=False)` but for roundings.
    """
    graph = functional(model)
    if graph is None:
        return lambda images, **_: model(images, training=False)
    norms = _norms(graph)
    ready = {id(norm): lambda x, **_: x for norm in norms.values()}
    for layer in graph.layers:
        if _is_plain(layer):
            ready[id(layer)] = _folded(layer, norms.get(id(layer)))
        elif type(layer) is keras.layers.Add:
            ready[id(layer)] = functools.partial(_sum, layer)
        elif type(layer) is keras.layers.Normalization and not layer.invert:
            ready[id(layer)] = _normalized(layer)
        elif isinstance(layer, keras.Model):
            ready[id(layer)] = inference(layer)

    def operation(layer: Any) -> Callable:
        if id(layer) in ready:
            return ready[id(layer)]
        if "training" in inspect.signature(layer.call).parameters:
            return functools.partial(layer, training=False)
        return layer

    return lambda images, **_: graph._run_through_graph([images], operation)


def functional(model: keras.Model) -> keras.Model | None:
    """The graph of layers of a functional or sequential model, or None."""
    graph = getattr(model, "_functional", model)
    known = hasattr(graph, "_run_through_graph")
    single = known and len(graph.inputs) == len(graph.outputs) == 1
    return graph if single else None


def _norms(graph: keras.Model) -> dict[int, keras.layers.Layer]:
    """{id of a convolution: the BatchNorm that alone sees its output}."""
    readers: dict[int, list] = {}
    calls = [node for nodes in graph._nodes_by_depth.values() for node in nodes]
    for call in calls:
        for tensor in call.input_tensors:
            readers.setdefault(id(tensor), []).append(call.operation)
    times = collections.Counter(id(call.operation) for call in calls)
    found = {}
    for call in calls:
        layer, (output, *_) = call.operation, call.outputs
        behind = readers.get(id(output), [])
        if (
            _is_plain(layer)
            and layer.activation is keras.activations.linear
            and len(behind) == times[id(layer)] == times[id(behind[0])] == 1
            and output is not graph.outputs[0]
            and _is_norm_of_channels(behind[0])
        ):
            found[id(layer)] = behind[0]
    return found


def _is_plain(layer: Any) -> bool:
    return (
        type(layer) is keras.layers.Conv2D
        and layer.groups == 1
        and layer.data_format == "channels_last"
        and layer.quantization_mode is None
        and not layer.lora_enabled
    )


def _sum(layer: keras.layers.Add, parts: list, **_: Any) -> tf.Tensor:
    # `tf.add_n` fuses with the convolution before it and the ReLU behind it,
    # which makes PGD-20 about 4 % faster; but it takes equal shapes only.
    if len({tuple(part.shape) for part in parts}) > 1:
        return layer(parts)
    return tf.add_n([tf.cast(part, layer.compute_dtype) for part in parts])


def _is_norm_of_channels(layer: Any) -> bool:
    return (
        type(layer) is keras.layers.BatchNormalization
        and layer.axis in (-1, 3)
        and not getattr(layer, "renorm", False)
    )


def _folded(
    layer: keras.layers.Conv2D, norm: keras.layers.BatchNormalization | None
) -> Callable[[tf.Tensor], tf.Tensor]:
    kernel = tf.convert_to_tensor(layer.kernel)
    bias = tf.zeros(kernel.shape[-1:], kernel.dtype)
    if layer.use_bias:
        bias += layer.bias
    if norm is not None:
        factor = tf.math.rsqrt(norm.moving_variance + norm.epsilon)
        if norm.scale:
            factor *= norm.gamma
        kernel *= factor
        bias = (bias - norm.moving_mean) * factor
        if norm.center:
            bias += norm.beta
    kernel = tf.cast(kernel, layer.compute_dtype)
    bias = tf.cast(bias, layer.compute_dtype)

    def convolution(x: tf.Tensor, **_: Any) -> tf.Tensor:
        x = tf.nn.conv2d(
            tf.cast(x, layer.compute_dtype),
            kernel,
            layer.strides,
            layer.padding.upper(),
            dilations=layer.dilation_rate,
        )
        # This addition fuses with the convolution and a ReLU behind it; that
        # of Keras does not.
        return layer.activation(tf.nn.bias_add(x, bias))

    return convolution


def _normalized(
    layer: keras.layers.Normalization,
) -> Callable[[tf.Tensor], tf.Tensor]:
    mean = tf.convert_to_tensor(layer.mean)
    deviation = tf.sqrt(tf.convert_to_tensor(layer.variance))
    deviation = tf.maximum(deviation, keras.config.epsilon())

    def normalize(x: tf.Tensor, **_: Any) -> tf.Tensor:
        if not x.shape[1:].is_fully_defined():
            return layer(x)
        # TensorFlow repeats a few numbers a pixel at several times the cost
        # of reading as many as an image has.
        parts = [
            tf.broadcast_to(tf.cast(part, layer.compute_dtype), x.shape[1:])
            for part in (mean[0], deviation[0])
        ]
        return (tf.cast(x, layer.compute_dtype) - parts[0]) / parts[1]

    return normalize
