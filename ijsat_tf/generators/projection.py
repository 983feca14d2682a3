"""Projection of images onto a generator's manifold, by a search in latents."""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from ijsat_tf import checks, seeds
from ijsat_tf.generators.descent import Objective, better, minimised
from ijsat_tf.runtime.compiled import compiled
from ijsat_tf.runtime.side_by_side import side_by_side
from ijsat_tf.types import Seed, Tensor, Tensors, Value, value


class Projected(NamedTuple):
    """The result of a projection: images on the manifold and their latents.

    Attributes:
        latents: Latents z, (B, D...) or a list of such tensors, as the
            generator decodes them.
        images: Images G(z), (B, H, W, C).
        objective: Value of the objective that z minimises, (B,).
    """

    latents: Tensors
    images: tf.Tensor
    objective: tf.Tensor


@value
class Projection(Value):
    """The projection z = argmin_z d(G(z), x) + |G(z) - x|_1 (Eq. 12).

    Adam runs on the latents of each image. The search starts from the best of
    a few random latents, which are the same for all images, and returns the
    best latents that it met, per image. So the latents of an image do not
    depend on the other images of the batch. The paper names neither the
    optimizer nor the number of steps.

    A generator with an exact `encode`, such as `ijsat_tf.flows.Glow`, needs
    no projection: its latents are `encode(images)`.

    Args:
        generator: Generator with `decode(latents)`, and with `latent_shape` if
            its latents are a tensor or `latent_shapes` if they are a list. A
            generator whose latents are not N(0, 1) may have
            `sample_latents(count, seed)`.
        distance: Distance d, which is the square of a perceptual distance:
            `ijsat_tf.models.LPIPS`, as in Eq. 12, or
            `ijsat_tf.models.PerceptualDistance`, which is LPIPS with a network
            of your own. None, the default, leaves d out.
        steps: Number of steps of Adam, default 100. More steps come closer to
            the images, with latents that are less typical of the prior.
        learning_rate: Learning rate of Adam, default 0.05.
        l1: Weight of |G(z) - x|_1 as a mean over pixels and channels, default
            100, as in DMAT's own code (whose images in [-1, 1] are twice as far
            apart). The weight H W C turns the mean into the sum.
        candidates: Number of random latents to start from, default 64.

    Raises:
        ValueError: for settings out of range.

    Source: the paper, A.2; `encode_imagenet.py` of
    https://github.com/samuel930930/Dual-Manifold-Adversarial-Training; Zhang
    et al., The Unreasonable Effectiveness of Deep Features as a Perceptual
    Metric, 2018.
    """

    generator: Any
    distance: Any = None
    steps: int = 100
    learning_rate: float = 0.05
    l1: float = 100.0
    candidates: int = 64

    def __post_init__(self):
        super().__post_init__()
        checks.require(
            hasattr(self.generator, "decode")
            and (
                hasattr(self.generator, "latent_shape")
                or hasattr(self.generator, "latent_shapes")
            ),
            "`generator` must have `decode(latents)`, and `latent_shape` or "
            "`latent_shapes`.",
            repr(self.generator),
        )
        checks.require(
            self.distance is None or hasattr(self.distance, "prepare"),
            "`distance` must be one of ijsat_tf.models: an LPIPS or a "
            "PerceptualDistance.",
            repr(self.distance),
        )
        for name in ("steps", "candidates"):
            checks.iterations(name, getattr(self, name))
        for name in ("learning_rate", "l1"):
            checks.not_negative(name, getattr(self, name))
        checks.require(
            self.l1 or self.distance is not None,
            "`l1` must be positive without a `distance`, because the "
            "objective would be 0; give a `distance`, or leave `l1` out.",
            self.l1,
        )

    def __call__(self, images: Tensor, seed: Seed = 0) -> Projected:
        """Projects images.

        Args:
            images: Images x, (B, H, W, C), in [0, 1].
            seed: Random seed of the candidates, default 0.

        Returns:
            The latents, images and objectives, a `Projected`.

        Raises:
            ValueError: for images that are not floats in [0, 1], for images of
                another shape than the generator's, and for an objective that
                is not finite.
        """
        images = tf.cast(checks.images(images), tf.float32)
        shape = tuple(images.shape[1:])
        return _project(self, images, seeds.derive(seed, "project"), shape)

    def search(self, images: tf.Tensor, seed: tf.Tensor) -> Projected:
        """Projects images by graph operations, without checks of arguments.

        Args:
            images: Images (B, H, W, C) in [0, 1].
            seed: Stateless seed of the candidates, (2,) int32.
        """
        objective = self._objective(images)
        start = self._best_candidate(images, objective, seed)
        best = minimised(objective, start, self.steps, self.learning_rate)
        return Projected(best, self._decode(best), objective(best))

    def candidate(self, seed: Seed) -> Tensors:
        """Random latents of one sample.

        The latents come from the generator's `sample_latents` if the generator
        has this method, else from N(0, 1).
        """
        if hasattr(self.generator, "sample_latents"):
            return self.generator.sample_latents(1, seed=seed)
        shapes = getattr(self.generator, "latent_shapes", None)
        several = shapes is not None
        latents = [
            tf.random.stateless_normal([1, *shape], seeds.derive(seed, place))
            for place, shape in enumerate(
                shapes if several else [self.generator.latent_shape]
            )
        ]
        return latents if several else latents[0]

    def _objective(self, images: tf.Tensor) -> Objective:
        """The function from latents of B or 1 samples to objectives (B,)."""
        features = self.distance and self.distance.prepare()
        wanted = features and self.distance.features(images)

        def objective(latents: Tensors) -> tf.Tensor:
            made = self._decode(latents)
            checks.require(
                made.shape[1:].is_compatible_with(images.shape[1:]),
                "`images` must have the same shape as the generator's images; "
                "resize the images. The two shapes are the shape of `images` "
                "and the shape of the generator's images.",
                tuple(images.shape[1:]),
                tuple(made.shape[1:]),
            )
            each = self.l1 * tf.reduce_mean(tf.abs(made - images), [1, 2, 3])
            if features:
                apart = features(made) - wanted
                each += tf.reduce_sum(tf.square(apart), axis=1)
            return each

        return objective

    def _decode(self, latents: Tensors) -> tf.Tensor:
        return tf.cast(self.generator.decode(latents), tf.float32)

    def _best_candidate(
        self, images: tf.Tensor, objective: Objective, seed: tf.Tensor
    ) -> Tensors:
        def draw(number: tf.Tensor | int) -> Tensors:
            return self.candidate(seeds.derive(seed, number))

        def compare(
            number: tf.Tensor, least: tf.Tensor, best: Tensors
        ) -> tuple[tf.Tensor, tf.Tensor, Tensors]:
            latents = draw(number)
            return number + 1, *better(objective(latents), latents, least, best)

        rows = tf.shape(images)[0]
        nothing = tf.fill([rows], float("inf"))
        first = tf.nest.map_structure(
            lambda part: tf.repeat(part, rows, axis=0), draw(0)
        )
        *_, best = tf.while_loop(
            lambda number, *_: number < self.candidates,
            compare,
            (0, nothing, first),
            parallel_iterations=1,
            maximum_iterations=self.candidates,
        )
        return best


@compiled(rows=("images",))
def _project(
    projection: Projection,
    images: tf.Tensor,
    seed: tf.Tensor,
    shape: tuple[int, ...],
) -> Projected:
    # Images of different sizes do not share a graph.
    images = tf.ensure_shape(images, [None, *shape])
    found = side_by_side(
        lambda images: projection.search(images, seed), (images,)
    )
    objective = checks.finite(found.objective, "The objective of projection")
    return found._replace(objective=objective)
