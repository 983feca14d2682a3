"""The invertible 1x1 convolution, parametrised by its LU decomposition."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from ijsat_tf.flows.layer import FlowLayer

tfb = tfp.bijectors


class PixelwiseLinear(tfb.Bijector):
    """Multiplies every pixel by a matrix, z = x W; `forward` gives x from z.

    W and its inverse are computed once per call, and only where they are
    needed, instead of a triangular solve per pixel.

    Args:
        permutation: Permutation matrix P, (C, C).
        lower: Lower triangular matrix L, (C, C), with ones on the diagonal.
        upper: Upper triangular matrix U, (C, C); W = P L U.
        name: Name of the bijector, default "pixelwise_linear".
    """

    def __init__(
        self,
        permutation: tf.Tensor,
        lower: tf.Tensor,
        upper: tf.Tensor,
        name: str = "pixelwise_linear",
    ):
        parameters = dict(locals())
        with tf.name_scope(name):
            self._permutation = permutation
            self._lower = lower
            self._upper = upper
            super().__init__(
                forward_min_event_ndims=3,
                is_constant_jacobian=True,
                dtype=lower.dtype,
                parameters=parameters,
                name=name,
            )

    @classmethod
    def _parameter_properties(cls, dtype):
        return {}

    def _inverse(self, x: tf.Tensor) -> tf.Tensor:
        return _multiply(x, self._permutation @ self._lower @ self._upper)

    def _forward(self, z: tf.Tensor) -> tf.Tensor:
        factors = self._permutation, self._lower, self._upper
        return _multiply(z, _inverse(*factors))

    def _inverse_log_det_jacobian(self, x: tf.Tensor) -> tf.Tensor:
        pixels = tf.cast(tf.reduce_prod(tf.shape(x)[-3:-1]), self.dtype)
        diagonal = tf.abs(tf.linalg.diag_part(self._upper))
        return pixels * tf.reduce_sum(tf.math.log(diagonal))


def _multiply(activations: tf.Tensor, matrix: tf.Tensor) -> tf.Tensor:
    rows = tf.reshape(activations, [-1, activations.shape[-1]])
    return tf.reshape(rows @ matrix, tf.shape(activations))


@keras.saving.register_keras_serializable("ijsat_tf")
class InvertibleConv1x1(FlowLayer):
    """The 1x1 convolution z = x W, whose matrix W is never singular.

    W = P L (U + diag(sign * exp(log_diagonal))).

    P and the signs are fixed, L has ones on its diagonal and U has zeros
    there, so that log |det W| is the sum of `log_diagonal`.
    W starts as a random orthogonal matrix.

    Source: Kingma and Dhariwal, Glow, Eq. 10.
    """

    def build(self, shape: tuple[int | None, ...]) -> None:
        channels = shape[-1]
        with tf.init_scope():
            start = keras.initializers.Orthogonal()((channels, channels))
            factors, order = tf.linalg.lu(tf.cast(start, tf.float64))
            diagonal = tf.linalg.diag_part(factors)
            values = {
                "permutation": tf.transpose(
                    tf.one_hot(order, channels, dtype=tf.float64)
                ),
                "sign": tf.sign(diagonal),
                "lower": tf.linalg.band_part(factors, -1, 0)
                - tf.linalg.diag(diagonal),
                "upper": tf.linalg.band_part(factors, 0, -1)
                - tf.linalg.diag(diagonal),
                "log_diagonal": tf.math.log(tf.abs(diagonal)),
            }
        for name, initial in values.items():
            weight = self.add_weight(
                shape=initial.shape,
                initializer=keras.initializers.Constant(initial.numpy()),
                trainable=name not in ("permutation", "sign"),
                name=name,
            )
            setattr(self, name, weight)

    @property
    def bijector(self) -> tfb.Bijector:
        return PixelwiseLinear(*_factors([self]))


def matrices(
    layers: Sequence[InvertibleConv1x1],
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the matrices W and their inverses, (N, C, C) each.

    Args:
        layers: N convolutions of C channels each.
    """
    permutation, lower, upper = _factors(layers, stacked=True)
    return permutation @ lower @ upper, _inverse(permutation, lower, upper)


def _factors(
    layers: Sequence[InvertibleConv1x1], stacked: bool = False
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """P, L and U of one convolution, or stacked for several convolutions."""

    def weight(name: str) -> tf.Tensor:
        found = [tf.convert_to_tensor(getattr(layer, name)) for layer in layers]
        return tf.stack(found) if stacked else found[0]

    diagonal = weight("sign") * tf.exp(weight("log_diagonal"))
    lower = tf.linalg.band_part(weight("lower"), -1, 0)
    upper = tf.linalg.band_part(weight("upper"), 0, -1)
    return (
        weight("permutation"),
        tf.linalg.set_diag(lower, tf.ones_like(diagonal)),
        tf.linalg.set_diag(upper, diagonal),
    )


def _inverse(
    permutation: tf.Tensor, lower: tf.Tensor, upper: tf.Tensor
) -> tf.Tensor:
    solve = tf.linalg.triangular_solve
    inverse = solve(lower, tf.linalg.matrix_transpose(permutation))
    return solve(upper, inverse, lower=False)
