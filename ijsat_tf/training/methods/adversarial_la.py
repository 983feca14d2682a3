"""Adversarial-LA: training on images found by a search in a flow's latents."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from ijsat_tf.attacks import OnManifoldPGD
from ijsat_tf.samples import Batch
from ijsat_tf.spaces import L2
from ijsat_tf.training.methods.at import AT, predictions
from ijsat_tf.training.methods.method import Method
from ijsat_tf.types import value


@value
class AdversarialLA(Method):
    """Adversarial-LA: training on images that a latent search found.

    The method minimises L(f(G(z + dz)), y) over theta with
    dz = argmax L(f(G(z + dz)), k), |dz|_2 <= radius and the model's own class
    k = argmax_j f(x)_j.

    The method trains on the found images alone, with their true labels; the
    search does not use the true labels. The official code searches with the
    classifier in training mode, and this method in inference mode. The
    official code starts in a cube that is projected to the ball, and this
    method uniformly in the ball; in so many dimensions both starts are near the
    surface of the ball. The official flow adds noise and a logit transform
    whose inverse returns 0.9 x + 0.05; a `Glow` here is exact.

    Args:
        flow: Flow G, e.g. `ijsat_tf.flows.Glow`; where latents come with the
            data, any network with `decode(latents)`.
        radius: Radius of dz over the latents of all levels together,
            default 1.
        step: Length of a step, default 0.5; None for 2.5 * radius / steps.
        steps: Number of steps of the search, default 3.

    Raises:
        ValueError: for settings out of range, or a flow that cannot decode;
            in training, without latents, for a flow that cannot encode.

    Source: Yuksel et al., Semantic Perturbations with Normalizing Flows for
    Improved Generalization, 2021; https://github.com/okyksl/flow-lp.
    """

    flow: Any
    radius: float = 1.0
    step: float | None = 0.5
    steps: int = 3

    def __post_init__(self):
        super().__post_init__()
        # Making the attack refuses wrong settings at once.
        _ = self.attack

    @property
    def attack(self) -> OnManifoldPGD:
        """The attack that solves the inner maximisation."""
        ball = L2(self.radius, self.step)
        return OnManifoldPGD(self.flow, ball, self.steps)

    def craft(
        self, classifier: keras.Model, batch: Batch, seed: tf.Tensor
    ) -> tf.Tensor:
        own = predictions(classifier, batch.images)
        own = tf.one_hot(tf.argmax(own, axis=1), own.shape[1])
        return AT(self.attack).craft(
            classifier, batch._replace(labels=own), seed
        )
