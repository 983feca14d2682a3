"""A fast version of the flow for attacks, with matrices computed once.

`Multiscale` defines the flow. Here ActNorm and the 1x1 convolution of a step
are one affine map of the channels, computed once per attack and not once per
iteration. A coupling net is three convolutions, each fused with its bias and
its ReLU. There are no log-determinants and no bijectors. Tests check that both
versions return the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from ijsat_tf.flows.conv1x1 import matrices
from ijsat_tf.flows.coupling import AffineCoupling
from ijsat_tf.flows.level import Level


class Step(NamedTuple):
    """One step of the flow, an affine map of the channels and a coupling.

    Attributes:
        matrix: Matrix M, (C, C), as a list of its two halves of rows.
        shift: Shift c, (C,).
        inverse: Inverse of M, (C, C).
        net: Pairs (kernel, bias), one for each convolution of the coupling net.
    """

    matrix: list[tf.Tensor]
    shift: tf.Tensor
    inverse: tf.Tensor
    net: list[tuple[tf.Tensor, tf.Tensor]]

    def encode(self, x: tf.Tensor) -> tf.Tensor:
        """Returns [y_1, (y_2 + shift(y_1)) * scale(y_1)], y = (x - c) M^-1."""
        rows = _rows(x - self.shift) @ self.inverse
        known, other = tf.split(tf.reshape(rows, tf.shape(x)), 2, axis=-1)
        shift, inverse = self.affine(known)
        return tf.concat([known, (other + shift) / inverse], axis=-1)

    def decode(self, z: tf.Tensor) -> tf.Tensor:
        """Returns [z_1, z_2 / scale(z_1) - shift(z_1)] M + c."""
        known, other = tf.split(z, 2, axis=-1)
        shift, inverse = self.affine(known)
        # Two products take the place of a concatenation and one product.
        rows = _rows(known) @ self.matrix[0]
        rows += _rows(other * inverse - shift) @ self.matrix[1]
        return tf.reshape(tf.nn.bias_add(rows, self.shift), tf.shape(z))

    def affine(self, known: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The shift and the factor 1 / scale for the other half."""
        (first, one), (second, two), (third, three) = self.net
        hidden = tf.cast(known, first.dtype)
        hidden = tf.nn.relu(_convolution(hidden, first, one))
        hidden = tf.nn.relu(_convolution(hidden, second, two))
        out = tf.cast(_convolution(hidden, third, three), known.dtype)
        shift, scale = tf.split(out, 2, axis=-1)
        # The bias includes the 2 of the definition's sigmoid(s + 2).
        return shift, tf.math.reciprocal(0.2 + 0.8 * tf.sigmoid(scale))


class Fused:
    """The flow G and its inverse, prepared for many calls.

    Args:
        levels: Levels of the flow, the level next to the images first.
        scale: Scale of the images, bins / (bins - 1).
    """

    def __init__(self, levels: list[Level], scale: float):
        self.scale = scale
        self.levels = [(level, _steps(level)) for level in levels]
        # The steps of a level differ in their tensors alone, so all steps call
        # one function, which is traced and optimized once.
        self._encode, self._decode = map(_shared, (Step.encode, Step.decode))

    def encode(
        self, images: tf.Tensor, standardized: bool = False
    ) -> list[tf.Tensor]:
        """Returns the latents of images, like `Glow.encode`."""
        x, latents = images / self.scale - 0.5, []
        for level, steps in self.levels:
            x = tf.nn.space_to_depth(x, 2)
            for step in steps:
                x = self._encode(step, x)
            if not level.last:
                x, latent = tf.split(x, 2, axis=-1)
                if standardized:
                    latent = level.standardize(x).inverse(latent)
                latents.append(latent)
        return [*latents, x]

    def decode(
        self, latents: list[tf.Tensor], standardized: bool = False
    ) -> tf.Tensor:
        """Returns the images of latents, like `Glow.decode`."""
        x = latents[-1]
        waiting = [*latents[:-1], None]
        for (level, steps), latent in zip(self.levels[::-1], waiting[::-1]):
            if latent is not None:
                if standardized:
                    latent = level.standardize(x).forward(latent)
                x = tf.concat([x, latent], axis=-1)
            for step in reversed(steps):
                x = self._decode(step, x)
            x = tf.nn.depth_to_space(x, 2)
        return (x + 0.5) * self.scale


def _shared(function: Callable) -> Callable:
    return tf.function(
        function,
        autograph=False,
        experimental_attributes={"_noinline": True},
    )


def _steps(level: Level) -> list[Step]:
    # All steps of a level have the same number of channels, so one batched
    # operation computes the matrices of all steps.
    norms, mixes, couplings = (level.layers[place::3] for place in range(3))
    weights, inverses = matrices(mixes)
    factor = tf.exp(
        tf.stack([tf.convert_to_tensor(norm.log_scale) for norm in norms])
    )
    known = couplings[0].known
    halves = tf.split(inverses * factor[:, tf.newaxis], [known, -1], axis=1)
    return [
        Step(list(matrix), tf.convert_to_tensor(norm.shift), inverse, net)
        for *matrix, norm, inverse, net in zip(
            *map(tf.unstack, halves),
            norms,
            tf.unstack(weights / factor[..., tf.newaxis]),
            map(_net, couplings),
        )
    ]


def _net(coupling: AffineCoupling) -> list[tuple[tf.Tensor, tf.Tensor]]:
    """Kernels and biases of a coupling net, in the compute type.

    The shift may be rounded here, because JSA adds the residual x - G(z); an
    exact inverse needs an exact shift.
    """
    *hidden, (kernel, bias) = [
        (tf.convert_to_tensor(layer.kernel), tf.convert_to_tensor(layer.bias))
        for layer in coupling.net.layers
    ]
    scales = bias.shape[0] // 2
    bias += tf.repeat(tf.constant([0.0, 2.0], bias.dtype), scales)
    dtype = coupling.compute_dtype
    return [
        (tf.cast(kernel, dtype), tf.cast(bias, dtype))
        for kernel, bias in [*hidden, (kernel, bias)]
    ]


def _rows(x: tf.Tensor) -> tf.Tensor:
    return tf.reshape(x, [-1, x.shape[-1]])


def _convolution(x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    # `tf.nn.bias_add` fuses with the convolution; Keras' own addition does not.
    return tf.nn.bias_add(tf.nn.conv2d(x, kernel, 1, "SAME"), bias)
