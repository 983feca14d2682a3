"""Squeeze: blocks of 2x2 pixels become channels."""

from __future__ import annotations

import tensorflow as tf
import tensorflow_probability as tfp


class Squeeze(tfp.bijectors.Bijector):
    """The permutation whose inverse maps (H, W, C) to (H / 2, W / 2, 4 C).

    As in every bijector here, `forward` goes towards the images.

    Args:
        name: Name of the bijector, default "squeeze".
    """

    def __init__(self, name: str = "squeeze"):
        parameters = dict(locals())
        super().__init__(
            forward_min_event_ndims=3,
            is_constant_jacobian=True,
            parameters=parameters,
            name=name,
        )

    @classmethod
    def _parameter_properties(cls, dtype):
        return {}

    def _forward(self, latents: tf.Tensor) -> tf.Tensor:
        return tf.nn.depth_to_space(latents, 2)

    def _inverse(self, images: tf.Tensor) -> tf.Tensor:
        return tf.nn.space_to_depth(images, 2)

    def _inverse_log_det_jacobian(self, images: tf.Tensor) -> tf.Tensor:
        return tf.zeros([], images.dtype)

    def _forward_event_shape(self, shape: tf.TensorShape) -> tf.TensorShape:
        height, width, channels = shape
        return tf.TensorShape([height * 2, width * 2, channels // 4])

    def _inverse_event_shape(self, shape: tf.TensorShape) -> tf.TensorShape:
        height, width, channels = shape
        return tf.TensorShape([height // 2, width // 2, channels * 4])
