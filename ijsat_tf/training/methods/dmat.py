"""Dual manifold adversarial training, by an image and a latent attack."""

from __future__ import annotations

import keras
import tensorflow as tf

from ijsat_tf import losses, seeds
from ijsat_tf.attacks import Attack, require_untargeted
from ijsat_tf.samples import Batch
from ijsat_tf.training.methods.method import Method
from ijsat_tf.types import value


@value
class DMAT(Method):
    """Dual manifold adversarial training, in image space and on a manifold.

    The method minimises 1/2 max_delta L(f(x + delta), y)
    + 1/2 max_lambda L(f(G(z + lambda)), y) over theta.

    Both attacks start from the same batch and the same weights. The images of
    each attack go through the classifier separately, so that BatchNorm sees
    them separately, as in the official code. Metrics see the images of the
    image attack.

    Args:
        image_attack: Attack on images, e.g. `PGD`.
        latent_attack: Attack on latents, e.g. `OnManifoldPGD`, with a flow or
            with a GAN whose latents come with the data; `JointSpaceAttack`
            with a flow for the paper's DMAT + JSA.

    Raises:
        ValueError: for an argument that is not an untargeted attack.

    Source: Lin et al., Dual Manifold Adversarial Robustness, 2020;
    https://github.com/samuel930930/Dual-Manifold-Adversarial-Training.
    """

    image_attack: Attack
    latent_attack: Attack

    def __post_init__(self):
        super().__post_init__()
        require_untargeted(self.image_attack, "`image_attack` of DMAT")
        require_untargeted(self.latent_attack, "`latent_attack` of DMAT")

    def craft(
        self, classifier: keras.Model, batch: Batch, seed: tf.Tensor
    ) -> list[tf.Tensor]:
        attacks = {"image": self.image_attack, "latent": self.latent_attack}
        return [
            attack.adversarial(
                classifier,
                batch.images,
                batch.labels,
                seeds.derive(seed, name),
                batch.latents,
            )
            for name, attack in attacks.items()
        ]

    def loss(
        self, classifier: keras.Model, batch: Batch, crafted: list[tf.Tensor]
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        image, latent = [
            classifier(images, training=True) for images in crafted
        ]
        each = 0.5 * losses.cross_entropy(batch.labels, image)
        each += 0.5 * losses.cross_entropy(batch.labels, latent)
        return each, batch.labels, image
