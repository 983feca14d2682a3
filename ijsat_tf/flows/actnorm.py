"""ActNorm: a shift and a scale per channel, set once from data."""

from __future__ import annotations

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from ijsat_tf.flows.layer import FlowLayer

tfb = tfp.bijectors


@keras.saving.register_keras_serializable("ijsat_tf")
class ActNorm(FlowLayer):
    """Scales and shifts each channel, x = shift + exp(log_scale) * z.

    `initialize` sets the shift to the mean and the scale to the standard
    deviation of a batch, so that z starts with mean 0 and deviation 1. The
    initialisation is an explicit call, because an initialisation inside the
    first step would differ between replicas.

    Source: Kingma and Dhariwal, Glow, section 3.1.
    """

    def build(self, shape: tuple[int | None, ...]) -> None:
        self.shift = self.add_weight(
            shape=(shape[-1],), initializer="zeros", name="shift"
        )
        self.log_scale = self.add_weight(
            shape=(shape[-1],), initializer="zeros", name="log_scale"
        )

    @property
    def bijector(self) -> tfb.Bijector:
        return tfb.Chain(
            [
                tfb.Shift(tf.convert_to_tensor(self.shift)),
                tfb.Scale(log_scale=tf.convert_to_tensor(self.log_scale)),
            ]
        )

    def initialize(self, activations: tf.Tensor) -> None:
        mean, variance = tf.nn.moments(activations, axes=[0, 1, 2])
        self.shift.assign(mean)
        self.log_scale.assign(tf.math.log(tf.sqrt(variance) + 1e-6))
