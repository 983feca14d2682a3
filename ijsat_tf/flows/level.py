"""One level of the multiscale flow: squeeze, steps, and a learned prior."""

from __future__ import annotations

import math

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
    """A squeeze, then `steps` times ActNorm, 1x1 convolution and coupling.

    After every level but the last, half of the channels leave as latents. The
    prior of these latents is a Gaussian whose mean and deviation are functions
    of the half that stays.

    Args:
        steps: Number of flow steps.
        hidden: Width of the coupling nets.
        last: Whether this is the last level, where all channels leave, with a
            standard normal prior.
        deviations: Bounds (low, high) of the prior's standard deviations, with
            low < 1 < high; None, the default, for the deviation exp(s), which
            has no bounds.
        **kwargs: Further arguments of `keras.layers.Layer`, such as `name` and
            `dtype`.

    Source: Kingma and Dhariwal, Glow, Fig. 2; Dinh et al., RealNVP, 3.6.
    """

    def __init__(
        self,
        steps: int,
        hidden: int,
        last: bool,
        deviations: tuple[float, float] | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.steps = steps
        self.hidden = hidden
        self.last = last
        self.deviations = tuple(deviations) if deviations else None

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

        z = mean + (low + (high - low) sigmoid(s + c)) e, where c makes the
        deviation 1 at s = 0. Without bounds the deviation is exp(s), which
        overflows far from the data.

        Args:
            staying: Half of the channels that goes on to the next level,
                (B, H, W, C).

        Returns:
            A bijector from e to z, both (B, H, W, C).
        """
        mean, s = tf.split(
            tf.cast(self.prior(staying), staying.dtype), 2, axis=-1
        )
        if self.deviations is None:
            return tfb.Chain([tfb.Shift(mean), tfb.Scale(log_scale=s)])
        low, high = self.deviations
        offset = math.log((1 - low) / (high - 1))
        scale = low + (high - low) * tf.sigmoid(s + offset)
        return tfb.Chain([tfb.Shift(mean), tfb.Scale(scale)])

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "steps": self.steps,
            "hidden": self.hidden,
            "last": self.last,
            "deviations": self.deviations,
        }
