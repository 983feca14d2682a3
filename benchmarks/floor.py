"""The convolutions of an attack alone, a lower bound of its time."""

from __future__ import annotations

from collections.abc import Callable

import keras
import tensorflow as tf

import ijsat_tf as ij


def convolutions(
    flow: ij.flows.Glow,
    model: keras.Model,
    batch: int,
    dtype: tf.DType,
    steps: int,
) -> Callable[[], None]:
    """A function that runs every convolution of JSA, and nothing else.

    Each convolution runs `steps` times, with its gradient by the input. The
    encoding is left out, and so is the last pass, which has no gradient.

    Args:
        flow: Flow G.
        model: Classifier.
        batch: Number of images.
        dtype: Type of the convolutions.
        steps: Number of steps K.
    """
    shapes = [shape for level in _levels(flow) for shape in level]
    shapes += [
        (
            layer.input.shape[1:],
            layer.kernel.shape,
            layer.strides[0],
            layer.padding,
        )
        for layer in model.layers
        if isinstance(layer, keras.layers.Conv2D)
    ]
    cases = [_case(batch, dtype, *shape) for shape in shapes]

    @tf.function(autograph=False)
    def run() -> list[tf.Tensor]:
        return [part for case in cases for part in case()]

    def repeated() -> None:
        for _ in range(steps):
            run()

    return repeated


def _levels(flow: ij.flows.Glow):
    for level, (height, width, _) in zip(flow.level_layers, flow.latent_shapes):
        for coupling in level.layers[2::3]:
            yield [
                (
                    (height, width, layer.kernel.shape[2]),
                    layer.kernel.shape,
                    1,
                    "same",
                )
                for layer in coupling.net.layers
            ]


def _case(batch, dtype, image, kernel, stride, padding):
    x = tf.cast(tf.random.normal([batch, *image]), dtype)
    weights = tf.cast(tf.random.normal(kernel, stddev=0.05), dtype)
    padding = padding.upper()
    slope = tf.nn.conv2d(x, weights, stride, padding)

    def run() -> tuple[tf.Tensor, tf.Tensor]:
        forward = tf.nn.conv2d(x, weights, stride, padding)
        backward = tf.nn.conv2d_transpose(
            slope, weights, x.shape, stride, padding
        )
        return forward[0, 0, 0, 0], backward[0, 0, 0, 0]

    return run
