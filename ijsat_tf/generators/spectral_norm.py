"""Convolutions of spectral norm 1, for discriminators."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("ijsat_tf")
class SpectralConv2D(keras.layers.Layer):
    """A convolution with the kernel W / sigma(W).

    sigma(W) = u^T W v is the largest singular value of the kernel as a matrix
    (filters, size * size * channels). One step of the power iteration per
    call, v <- W^T u / |W^T u|, u <- W v / |W v|, estimates sigma. The gradient
    flows through W and sigma, and takes u and v as constants. The kernel itself
    is not scaled, and u is a weight that is updated only in training.

    The stride is 1. The input is padded with zeros, so that the output has the
    size of the input.

    Args:
        filters: Number of output channels.
        size: Side of the kernel, default 3.
        gain: Gain of the uniform Xavier initialisation of the kernel, default
            1.
        use_bias: Whether to add a bias, default True.
        **kwargs: Further arguments of `keras.layers.Layer`, such as `name` and
            `dtype`.

    Source: Miyato, Kataoka, Koyama and Yoshida, Spectral Normalization for
    Generative Adversarial Networks, 2018.
    """

    # Keras' SpectralNormalization overwrites the kernel by W / sigma at each
    # call in training, which is a projection: no gradient flows through sigma.

    def __init__(
        self,
        filters: int,
        size: int = 3,
        gain: float = 1.0,
        use_bias: bool = True,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.filters, self.size = filters, size
        self.gain, self.use_bias = gain, use_bias

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        # Rounding the kernel to bfloat16 would change sigma by more than a
        # power iteration corrects.
        self.kernel = self.add_weight(
            shape=(self.size, self.size, input_shape[-1], self.filters),
            initializer=xavier(self.gain),
            autocast=False,
            name="kernel",
        )
        # Each replica writes its own u, and all copies are equal, because u
        # follows from the weights.
        self.u = self.add_weight(
            shape=(1, self.filters),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            trainable=False,
            autocast=False,
            name="u",
        )
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(self.filters,), initializer="zeros", name="bias"
            )

    def call(
        self, inputs: tf.Tensor, training: bool | None = None
    ) -> tf.Tensor:
        kernel = tf.convert_to_tensor(self.kernel)
        kernel /= self._sigma(tf.reshape(kernel, [-1, self.filters]), training)
        kernel = tf.cast(kernel, self.compute_dtype)
        outputs = tf.nn.conv2d(inputs, kernel, strides=1, padding="SAME")
        return outputs + self.bias if self.use_bias else outputs

    def _sigma(self, transposed: tf.Tensor, training: bool | None) -> tf.Tensor:
        held = tf.stop_gradient(transposed)
        v = tf.math.l2_normalize(
            tf.matmul(tf.convert_to_tensor(self.u), held, transpose_b=True)
        )
        u = tf.math.l2_normalize(tf.matmul(v, held))
        if training:
            self.u.assign(u)
        return tf.reduce_sum(tf.matmul(v, transposed) * u)

    def compute_output_shape(
        self, input_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        return (*input_shape[:-1], self.filters)

    def get_config(self) -> dict[str, Any]:
        names = "filters size gain use_bias"
        settings = {name: getattr(self, name) for name in names.split()}
        return {**super().get_config(), **settings}


def xavier(gain: float = 1.0) -> keras.initializers.Initializer:
    """The initializer U(-a, a) of variance 2 gain^2 / (fan_in + fan_out)."""
    return keras.initializers.VarianceScaling(gain**2, "fan_avg", "uniform")
