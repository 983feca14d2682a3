"""The chain of levels; after each level half of the channels leave."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf
import tensorflow_probability as tfp

from ijsat_tf.flows.level import Level


class Multiscale(tfp.bijectors.Bijector):
    """The bijector g = g_1 o ... o g_L from latents [z_1, ..., z_L] to images.

    This is Eq. 13. `forward` maps the list of latents, level 1 first, to
    activations (B, H, W, C). As for every bijector, B may be any batch shape,
    also an empty shape.

    Args:
        levels: Levels of the flow, the level next to the images first.
        standardized: Whether the latents are measured in standard deviations of
            their learned priors; default False, for the activations themselves.
        name: Name of the bijector, default "multiscale".
    """

    def __init__(
        self,
        levels: list[Level],
        standardized: bool = False,
        name: str = "multiscale",
    ):
        parameters = dict(locals())
        self._levels = list(levels)
        self._standardized = standardized
        super().__init__(
            forward_min_event_ndims=[3] * len(levels),
            inverse_min_event_ndims=3,
            parameters=parameters,
            name=name,
        )

    @classmethod
    def _parameter_properties(cls, dtype):
        return {}

    def _forward(self, latents: list[tf.Tensor]) -> tf.Tensor:
        latents, restored = _in_one_batch(latents)
        activations = latents[-1]
        for level, latent in zip(
            reversed(self._levels), [None, *reversed(latents[:-1])]
        ):
            if latent is not None:
                if self._standardized:
                    latent = level.standardize(activations).forward(latent)
                activations = tf.concat([activations, latent], axis=-1)
            activations = level.bijector.forward(activations)
        return restored(activations)

    def _inverse(self, images: tf.Tensor) -> list[tf.Tensor]:
        (images,), restored = _in_one_batch([images])
        latents = []
        for level in self._levels:
            images = level.bijector.inverse(images)
            images, latent, _ = self._leave(level, images)
            latents.append(restored(latent))
        return latents

    def inverse_and_log_det(
        self, images: tf.Tensor
    ) -> tuple[list[tf.Tensor], tf.Tensor]:
        """The latents and the log |det| of the inverse, in one pass.

        Args:
            images: Activations (B, H, W, C).

        Returns:
            Latents, a list of (B, h, w, c), level 1 first, and log |det| (B,)
            in nats.
        """
        (images,), restored = _in_one_batch([images])
        latents = []
        total = tf.zeros([tf.shape(images)[0]], images.dtype)
        for level in self._levels:
            images, log_det = level.inverse_and_log_det(images)
            images, latent, exit_log_det = self._leave(level, images)
            latents.append(restored(latent))
            total += log_det + exit_log_det
        return latents, restored(total)

    def _inverse_log_det_jacobian(self, images: tf.Tensor) -> tf.Tensor:
        return self.inverse_and_log_det(images)[1]

    def _leave(self, level: Level, activations: tf.Tensor):
        if level.last:
            return None, activations, 0.0
        staying, leaving = tf.split(activations, 2, axis=-1)
        if not self._standardized:
            return staying, leaving, 0.0
        prior = level.standardize(staying)
        log_det = prior.inverse_log_det_jacobian(leaving, event_ndims=3)
        return staying, prior.inverse(leaving), log_det

    def _forward_event_shape(
        self, shapes: list[tf.TensorShape]
    ) -> tf.TensorShape:
        height, width, channels = shapes[-1]
        factor = 2 ** len(self._levels)
        return tf.TensorShape(
            [height * factor, width * factor, channels // (2 * factor)]
        )

    def _inverse_event_shape(
        self, shape: tf.TensorShape
    ) -> list[tf.TensorShape]:
        height, width, channels = shape
        factors = [2 ** (number + 1) for number in range(len(self._levels))]
        shapes = [
            [height // factor, width // factor, channels * factor]
            for factor in factors
        ]
        shapes[-1][-1] *= 2  # Nothing stays after the last level.
        return [tf.TensorShape(each) for each in shapes]

    def _forward_event_shape_tensor(self, shapes: list[tf.Tensor]):
        shapes = [tf.TensorShape(tf.get_static_value(s)) for s in shapes]
        return tf.constant(self._forward_event_shape(shapes).as_list())

    def _inverse_event_shape_tensor(self, shape: tf.Tensor):
        shape = tf.TensorShape(tf.get_static_value(shape))
        shapes = self._inverse_event_shape(shape)
        return [tf.constant(each.as_list()) for each in shapes]

    def _forward_dtype(self, dtype, **_):
        return tf.nest.flatten(dtype)[0]

    def _inverse_dtype(self, dtype, **_):
        return [dtype] * len(self._levels)


def _in_one_batch(
    tensors: list[tf.Tensor],
) -> tuple[list[tf.Tensor], Callable[[tf.Tensor], tf.Tensor]]:
    """Returns tensors as (B, ...), and the map back to their own batch shape.

    Convolutions take one batch axis; a sample of a distribution may have no
    batch axis, or several.
    """
    if tensors[0].shape.rank == 4:
        return tensors, lambda tensor: tensor
    batch = tf.shape(tensors[0])[:-3]
    rows = [tf.reshape(each, [-1, *each.shape[-3:]]) for each in tensors]

    def restored(tensor: tf.Tensor) -> tf.Tensor:
        shape = tf.concat([batch, tf.shape(tensor)[1:]], axis=0)
        return tf.reshape(tensor, shape)

    return rows, restored
