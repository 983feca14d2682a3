"""Projected steepest ascent of the loss in a space."""

from __future__ import annotations

import tensorflow as tf

from ijsat_tf import checks, losses, seeds
from ijsat_tf.attacks.attack import Attack, AttackResult
from ijsat_tf.attacks.gradients import finite, of_images
from ijsat_tf.attacks.outcome import better, succeeds
from ijsat_tf.rows import pick
from ijsat_tf.spaces import Ball, Pixels, Space, as_space
from ijsat_tf.types import LogitsFn, Tensors, value


@value
class SpaceAttack(Attack):
    """Maximises a loss over the changes that a space allows.

    The update change <- project(change + step * direction(gradient)) is made
    `steps` times. The result is the image after the last update. Where that
    image is not finite, the result is the unchanged image, and `overflowed`
    is True. The loop is a `tf.while_loop`, so the graph does not grow with
    the number of steps.

    Subclasses define `space` and `steps`, and may define `restarts`,
    `momentum`, `random_start` and `targeted`. Each of these is a field, a
    property or a constant of the class; `Ascent` explains their meanings.
    Subclasses may also define `objective`, the loss.

    Raises:
        ValueError: for settings out of range.
    """

    restarts = 1
    momentum = 0.0
    random_start = True
    targeted = False
    counts = "steps", "restarts"

    def __post_init__(self):
        checks.require(
            hasattr(type(self), "space") or "space" in self.get_config(),
            f"{type(self).__name__} must define `space`, the space of its "
            "changes, as a field or a property.",
        )
        super().__post_init__()
        _ = self.space  # Making the space refuses wrong settings at once.
        checks.require(
            self.restarts == 1 or self.random_start,
            "`restarts` need random starts, because all searches would be the "
            "same otherwise; set `random_start=True`, or `restarts=1`.",
            self.restarts,
        )

    @property
    def radii(self) -> dict[str, float]:
        return self.space.radii

    @property
    def pixel_ball(self) -> Ball | None:
        return self.space.ball if isinstance(self.space, Pixels) else None

    @property
    def by_sample(self) -> bool:
        return self.space.by_sample

    def objective(self, labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """The loss: the cross entropy, unless a subclass has another one.

        Args:
            labels: Labels (B, K), probabilities.
            logits: Logits (B, K).

        Returns:
            Losses (B,), which a targeted search minimises.
        """
        return losses.cross_entropy(labels, logits)

    def craft(
        self,
        logits_of: LogitsFn,
        images: tf.Tensor,
        labels: tf.Tensor,
        seed: tf.Tensor,
        latents: Tensors | None = None,
    ) -> AttackResult:
        space = self.space.with_steps(self.steps)
        context = space.prepare(images, latents)

        def moved(change: Tensors) -> tf.Tensor:
            found = space.apply(images, change, context)
            return tf.ensure_shape(found, images.shape)

        def signed(logits: tf.Tensor) -> tf.Tensor:
            loss = self.objective(labels, logits)
            return -loss if self.targeted else loss

        def update(
            iteration: tf.Tensor, change: Tensors, velocity: Tensors
        ) -> tuple[tf.Tensor, Tensors, Tensors]:
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(change)
                found = moved(change)
            # The clip passes the gradient straight through: a hard clip has
            # no gradient at saturated pixels, which would stop every search
            # there. The paper does not specify this.
            slope, *_ = of_images(logits_of, _clip(found), signed)
            # Parts of a change that never change, such as random kernels, have
            # no gradient.
            gradient = tape.gradient(
                found,
                change,
                slope,
                unconnected_gradients=tf.UnconnectedGradients.ZERO,
            )
            gradient = tf.nest.map_structure(finite, gradient)
            if self.momentum:
                velocity = gradient = tf.nest.map_structure(
                    self._accumulate, velocity, gradient
                )
            change = space.update(change, gradient, images, iteration)
            return iteration + 1, change, velocity

        def run(restart: int | tf.Tensor) -> AttackResult:
            draw = seeds.derive(seed, "start", restart)
            change = space.start(context, draw if self.random_start else None)
            _, change, _ = tf.while_loop(
                lambda iteration, *_: iteration < self.steps,
                update,
                (0, change, self._still(change)),
                parallel_iterations=1,
                maximum_iterations=self.steps,
            )
            found = _clip(moved(change)), space.measure(change)
            unused = tf.nest.map_structure(tf.zeros_like, found[1])
            # A generator may overflow far from its training images.
            whole = tf.reduce_all(tf.math.is_finite(found[0]), axis=[1, 2, 3])
            adversarial, budget = pick(whole, found, (images, unused))
            logits = logits_of(adversarial)
            return AttackResult(
                adversarial,
                succeeds(logits, labels, self.targeted),
                losses.cross_entropy(labels, logits),
                budget,
                ~whole,
            )

        if self.restarts == 1:
            return run(0)
        nothing = AttackResult(
            images,
            tf.zeros_like(images[:, 0, 0, 0], dtype=tf.bool),
            tf.zeros_like(labels[:, 0]),
            space.measure(space.start(context, None)),
            tf.zeros_like(images[:, 0, 0, 0], dtype=tf.bool),
        )
        return self._best(run, nothing)

    def _still(self, change: Tensors) -> Tensors:
        if not self.momentum:
            return ()
        return tf.nest.map_structure(tf.zeros_like, change)

    def _accumulate(
        self, velocity: tf.Tensor, gradient: tf.Tensor
    ) -> tf.Tensor:
        axes = list(range(1, gradient.shape.rank))
        length = tf.reduce_sum(tf.abs(gradient), axis=axes, keepdims=True)
        return self.momentum * velocity + gradient / tf.maximum(length, 1e-12)

    def _best(self, run, nothing: AttackResult) -> AttackResult:
        def improve(
            restart: tf.Tensor, best: AttackResult
        ) -> tuple[tf.Tensor, AttackResult]:
            found = run(restart)
            take = (restart == 0) | better(found, best, self.targeted)
            return restart + 1, pick(take, found, best)

        _, best = tf.while_loop(
            lambda restart, _: restart < self.restarts,
            improve,
            (0, nothing),
            parallel_iterations=1,
            maximum_iterations=self.restarts,
        )
        return best


@value
class Ascent(SpaceAttack):
    """A `SpaceAttack` in any space, e.g. of images, latents or both.

    Args:
        space: Space of the changes, or a ball of pixels, e.g.
            `Pixels(Linf(8 / 255))`.
        steps: Number of updates, default 10.
        restarts: Number of searches from different starts, default 1. Per
            sample the result is that of a successful search, else that of the
            search with the highest loss.
        momentum: Momentum of the gradient, which is normalised by its L1
            norm; default 0.
        random_start: Whether to start at random in the space rather than at
            the image, default True.
        targeted: Whether labels are target classes, so that the loss is
            minimised; default False.

    Raises:
        ValueError: for settings out of range.
    """

    space: Space
    steps: int = 10
    restarts: int = 1
    momentum: float = 0.0
    random_start: bool = True
    targeted: bool = False

    def __post_init__(self):
        object.__setattr__(self, "space", as_space(self.space))
        super().__post_init__()


def _clip(images: tf.Tensor) -> tf.Tensor:
    return tf.clip_by_value(images, 0.0, 1.0)
