"""The base of the flow's layers: Keras owns the weights, TFP the algebra."""

from __future__ import annotations

import keras
import tensorflow as tf
import tensorflow_probability as tfp


class FlowLayer(keras.layers.Layer):
    """A Keras layer whose weights define an invertible map.

    The map is a `tfp.bijectors.Bijector` built from the weights at each use,
    because Keras does not find the weights of a bijector that is kept as an
    attribute. `forward` goes from latents to images. The weights keep their
    own precision when the coupling nets compute in bfloat16.
    """

    def add_weight(self, *args, **kwargs) -> keras.Variable:
        """Adds a weight as Keras does, but never cast to the compute type.

        Args:
            *args: Arguments of `keras.layers.Layer.add_weight`.
            **kwargs: Named arguments of `keras.layers.Layer.add_weight`.

        Returns:
            The weight.
        """
        return super().add_weight(*args, autocast=False, **kwargs)

    @property
    def bijector(self) -> tfp.bijectors.Bijector:
        """The map as a bijector of activations (B, H, W, C)."""
        raise NotImplementedError

    def inverse_and_log_det(
        self, activations: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Maps activations one step towards the latents.

        Args:
            activations: Activations (B, H, W, C).

        Returns:
            The image of `activations` under the inverse of the map, and the
            log |det| of that inverse, (B,) or a scalar, in nats.
        """
        bijector = self.bijector
        return (
            bijector.inverse(activations),
            bijector.inverse_log_det_jacobian(activations, event_ndims=3),
        )

    def initialize(self, activations: tf.Tensor) -> None:
        """Sets the weights that depend on data, where a layer has any.

        Args:
            activations: Activations (B, H, W, C) of a batch of images.
        """
