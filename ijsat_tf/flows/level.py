"""One level of the multiscale flow: squeeze, steps, and a learned exit."""

from __future__ import annotations

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from ijsat_tf import checks
from ijsat_tf.flows.actnorm import ActNorm
from ijsat_tf.flows.conv1x1 import InvertibleConv1x1
from ijsat_tf.flows.coupling import AffineCoupling, zero_conv
from ijsat_tf.flows.layer import FlowLayer
from ijsat_tf.flows.squeeze import Squeeze

tfb = tfp.bijectors


@keras.saving.register_keras_serializable("ijsat_tf")
class Level(FlowLayer):
    """Squeeze, then `steps` times ActNorm, 1x1 convolution and coupling.

    After every level but the last, half of the channels leave as latents.
    Their prior is a Gaussian whose mean and deviation are read off the half
    that stays.

    Args:
        steps: number of flow steps.
        hidden: width of the coupling nets.
        last: whether all channels leave here, with a standard normal prior.

    Source: Kingma and Dhariwal, Glow, Fig. 2; Dinh et al., RealNVP, 3.6.
    """

    def __init__(self, steps: int, hidden: int, last: bool, **kwargs):
        super().__init__(**kwargs)
        self.steps = steps
        self.hidden = hidden
        self.last = last

    def build(self, shape: tuple[int | None, ...]) -> None:
        batch, height, width, channels = shape
        inner = (batch, height // 2, width // 2, channels * 4)
        self.layers = []
        for step in range(1, self.steps + 1):
            policy = {"dtype": self.dtype_policy}
            self.layers += [
                ActNorm(name=f"step{step}_actnorm", **policy),
                InvertibleConv1x1(name=f"step{step}_conv1x1", **policy),
                AffineCoupling(
                    self.hidden, name=f"step{step}_coupling", **policy
                ),
            ]
        for layer in self.layers:
            layer.build(inner)
        if not self.last:
            self.prior = zero_conv(inner[-1], self.variable_dtype)
            self.prior.build((*inner[:-1], inner[-1] // 2))

    @property
    def bijector(self) -> tfb.Bijector:
        return tfb.Chain(
            [Squeeze(), *(layer.bijector for layer in self.layers)]
        )

    def inverse_and_log_det(
        self, activations: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        activations = Squeeze().inverse(activations)
        total = tf.zeros([], activations.dtype)
        for layer in self.layers:
            activations, log_det = layer.inverse_and_log_det(activations)
            activations = checks.finite(
                activations, f"The output of {layer.path}"
            )
            total += log_det
        return activations, total

    def initialize(self, activations: tf.Tensor) -> None:
        activations = Squeeze().inverse(activations)
        for layer in self.layers:
            layer.initialize(activations)
            activations, _ = layer.inverse_and_log_det(activations)

    def standardize(self, staying: tf.Tensor) -> tfb.Bijector:
        """The map from standard normal numbers to the latents that leave.

        Args:
            staying: the half that goes on to the next level, (B, H, W, C).
        """
        mean, log_scale = tf.split(
            tf.cast(self.prior(staying), staying.dtype), 2, axis=-1
        )
        return tfb.Chain([tfb.Shift(mean), tfb.Scale(log_scale=log_scale)])

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "steps": self.steps,
            "hidden": self.hidden,
            "last": self.last,
        }
