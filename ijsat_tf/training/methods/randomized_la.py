"""Randomized-LA: training on images with randomly changed latents."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from ijsat_tf.runtime.side_by_side import side_by_side
from ijsat_tf.samples import Batch
from ijsat_tf.spaces import L2, Latent
from ijsat_tf.training.methods.method import Method
from ijsat_tf.types import Tensors, value


@value
class RandomizedLA(Method):
    """Randomized-LA: training on images with randomly changed latents.

    The method minimises E L(f(clip(G(z + dz))), y) over theta, with dz uniform
    on the sphere |dz|_2 = radius.

    The official code projects N(0, radius^2 I) to the ball; in so many
    dimensions nearly all draws end on the surface of the ball. The official
    flow adds noise and a logit transform whose inverse returns 0.9 x + 0.05; a
    `Glow` here is exact.

    Args:
        flow: Flow G, e.g. `ijsat_tf.flows.Glow`; where latents come with the
            data, any network with `decode(latents)`.
        radius: Radius of dz over the latents of all levels together,
            default 20.

    Raises:
        ValueError: for a radius out of range, or a flow that cannot decode;
            in training, without latents, for a flow that cannot encode.

    Source: Yuksel et al., Semantic Perturbations with Normalizing Flows for
    Improved Generalization, 2021; https://github.com/okyksl/flow-lp.
    """

    flow: Any
    radius: float = 20.0

    def __post_init__(self):
        super().__post_init__()
        # Making the space refuses wrong settings at once.
        _ = self.space

    @property
    def space(self) -> Latent:
        """The latent space, whose single step has the length `radius`."""
        return Latent(self.flow, L2(self.radius, step=self.radius))

    def craft(
        self, classifier: keras.Model, batch: Batch, seed: tf.Tensor
    ) -> tf.Tensor:
        def moved(images: tf.Tensor, latents: Tensors | None) -> tf.Tensor:
            context = self.space.prepare(images, latents)
            still = self.space.start(context, None)
            random = self.space.start(context, seed)
            change = self.space.ball.ascend(still, random)
            made = self.space.apply(images, change, context)
            made = tf.ensure_shape(made, images.shape)
            return tf.clip_by_value(made, 0, 1)

        images = side_by_side(moved, (batch.images, batch.latents))
        return tf.stop_gradient(images)
