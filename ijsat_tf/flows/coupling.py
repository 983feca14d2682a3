"""The affine coupling layer of RealNVP."""

from __future__ import annotations

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from ijsat_tf.flows.layer import FlowLayer

tfb = tfp.bijectors


def zero_conv(filters: int, dtype: str) -> keras.Layer:
    """Makes a 3x3 convolution that starts at zero.

    A flow with such convolutions starts as an affine map.

    Args:
        filters: Number of channels of the output.
        dtype: Data type of the transform, in which the convolution computes. A
            shift rounded to bfloat16 would be the largest error of the inverse.

    Returns:
        A layer that is not yet built.
    """
    return keras.layers.Conv2D(
        filters,
        3,
        padding="same",
        kernel_initializer="zeros",
        dtype=dtype,
        name="zero_conv",
    )


@keras.saving.register_keras_serializable("ijsat_tf")
class AffineCoupling(FlowLayer):
    """Maps half of the channels by an affine map computed from the other half.

    z_2 = (x_2 + shift(x_1)) * scale(x_1), z_1 = x_1.

    `scale = 0.2 + 0.8 * sigmoid(s + 2)`: the plain sigmoid underflows far
    from the data, and the inverse, which divides by the scale, would be NaN
    there.

    Args:
        hidden: Width of the net's two hidden layers.
        **kwargs: Further arguments of `keras.layers.Layer`, such as `name` and
            `dtype`.

    Source: Dinh et al., RealNVP, section 3.2; Glow, section 3.3.
    """

    def __init__(self, hidden: int, **kwargs):
        super().__init__(**kwargs)
        self.hidden = hidden

    def build(self, shape: tuple[int | None, ...]) -> None:
        self.known = shape[-1] // 2
        conv = {
            "activation": "relu",
            "kernel_initializer": keras.initializers.RandomNormal(stddev=0.05),
            "dtype": self.dtype_policy,
        }
        self.net = keras.Sequential(
            [
                keras.layers.Conv2D(
                    self.hidden, 3, padding="same", name="conv1", **conv
                ),
                keras.layers.Conv2D(self.hidden, 1, name="conv2", **conv),
                zero_conv(2 * (shape[-1] - self.known), self.variable_dtype),
            ],
            name="net",
        )
        self.net.build((*shape[:-1], self.known))

    def affine(self, known: tf.Tensor) -> tfb.Bijector:
        """The affine map of the other half, given the half that passes through.

        Args:
            known: Half x_1 = z_1, which passes through unchanged,
                (B, H, W, C // 2).

        Returns:
            A bijector from z_2 to x_2.
        """
        shift, scale = tf.split(
            tf.cast(self.net(known), known.dtype), 2, axis=-1
        )
        scale = 0.2 + 0.8 * tf.sigmoid(scale + 2.0)
        return tfb.Invert(tfb.Chain([tfb.Scale(scale), tfb.Shift(shift)]))

    @property
    def bijector(self) -> tfb.Bijector:
        return tfb.RealNVP(
            num_masked=self.known,
            bijector_fn=lambda known, _: self.affine(known),
        )

    def inverse_and_log_det(
        self, activations: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        # RealNVP alone would run the net a second time for the
        # log-determinant.
        affine = self.affine(activations[..., : self.known])
        bijector = tfb.RealNVP(
            num_masked=self.known, bijector_fn=lambda *_: affine
        )
        return (
            bijector.inverse(activations),
            bijector.inverse_log_det_jacobian(activations, event_ndims=3),
        )

    def get_config(self) -> dict:
        return {**super().get_config(), "hidden": self.hidden}
