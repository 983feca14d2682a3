"""Checks that run the model and the flow on a few images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from ijsat_tf import checks, losses, seeds
from ijsat_tf.attacks import Ascent, as_logits
from ijsat_tf.evaluation.trust.check import Check
from ijsat_tf.flows import familiarity
from ijsat_tf.samples import Batch, gather
from ijsat_tf.spaces import Ball, Linf, Pixels
from ijsat_tf.types import LogitsFn

_LINES = 8
_STEPS = 50
_INVERSION = 1e-3
_NONE = "the model gets none of the images right"


def model_checks(
    model: Callable,
    data: Any,
    ball: Ball,
    flow: Any = None,
    seed: int = 0,
    examples: int = 32,
) -> list[Check]:
    """Checks a model's gradients, and a flow's inverse and bits/dim.

    Three checks use the images that the model classifies correctly. No gradient
    of the cross entropy may be zero. A step of length r along the steepest
    direction of the ball must raise the mean loss, and raise it more than
    each of 8 random directions, for r = 1/4, 1/2 and 1 of the ball's radius.
    A search of 50 steps from the image, without a bound on the change, must
    leave no image classified correctly.

    Two checks use all images. The flow must reconstruct the images,
    max |x - G(G^-1(x))| <= 0.001, and their bits/dim must be within 0.5 of the
    bits/dim of the images that the flow was fitted to.

    Args:
        model: Function or Keras model from images in [0, 1] to logits.
        data: Tuple (x, y), or a finite `tf.data.Dataset` of such batches, as
            for `evaluate`.
        ball: Ball of pixels, e.g. `Linf(8 / 255)`, with a radius above 0.
        flow: Network with `encode`, `decode` and `log_prob`; None, the
            default, for no flow.
        seed: Random seed of the random directions, default 0.
        examples: Number of images that are used, the first images of `data`;
            default 32.

    Returns:
        Five checks, which fail where gradients are masked, where the flow does
        not reconstruct the images, or where the images are unlike the images
        that the flow was fitted to.

    Raises:
        ValueError: for data that do not fit the model, and for a ball that is
            not a `Ball` or has radius 0.

    Source: Carlini et al., On Evaluating Adversarial Robustness, 2019;
    Athalye et al., Obfuscated Gradients Give a False Sense of Security, 2018.
    """
    examples = checks.at_least_one("examples", examples)
    checks.require(
        isinstance(ball, Ball) and ball.radius > 0,
        "`ball` must be a ball of pixels with a radius above 0, such as "
        "Linf(8 / 255).",
        repr(ball),
    )
    samples = gather(data).rows(0, examples)
    logits_of = as_logits(model)
    logits = checks.finite_outputs(logits_of(samples.images))
    labels = checks.one_hot(samples.labels, logits.shape[-1])
    right = tf.argmax(logits, 1) == tf.argmax(labels, 1)
    images, labels = (
        tf.boolean_mask(part, right) for part in (samples.images, labels)
    )
    return [
        *_gradients(logits_of, images, labels, ball, seed),
        _unbounded(model, images, labels),
        _inversion(flow, samples),
        _familiar(flow, samples),
    ]


def _gradients(
    logits_of: LogitsFn,
    images: tf.Tensor,
    labels: tf.Tensor,
    ball: Ball,
    seed: int,
) -> tuple[Check, Check]:
    names = "no gradient is zero", "gradients raise the loss more than chance"
    count = len(images)
    if not count:
        return tuple(Check(name, None, _NONE) for name in names)

    def loss(moved: tf.Tensor) -> tf.Tensor:
        return losses.cross_entropy(labels, logits_of(moved))

    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(images)
        clean = loss(images)
    gradient = tape.gradient(
        clean, images, unconnected_gradients=tf.UnconnectedGradients.ZERO
    )
    largest = tf.reduce_max(tf.abs(gradient), axis=(1, 2, 3))
    # NaN > 0 is false, so gradients of NaN count as zero too.
    zero = count - int(tf.math.count_nonzero(largest > 0))

    def gain(direction: tf.Tensor, length: float) -> float:
        moved = tf.clip_by_value(images + length * direction, 0, 1)
        return float(tf.reduce_mean(loss(moved) - clean))

    along = ball.direction(gradient)
    lines = [
        ball.direction(seeds.normal(images, seeds.derive(seed, "line", number)))
        for number in range(_LINES)
    ]
    more = True
    for part in (0.25, 0.5, 1.0):
        length = part * ball.radius
        steepest = gain(along, length)
        chance = max(gain(line, length) for line in lines)
        more &= steepest > max(0.0, chance)
    return (
        Check(names[0], not zero, f"{zero} of {count} images"),
        Check(
            names[1],
            more,
            f"at the radius {ball.radius:.6g} by {steepest:.4g} nats, the best "
            f"of {_LINES} random directions by {chance:.4g}",
        ),
    )


def _unbounded(model: Callable, images: tf.Tensor, labels: tf.Tensor) -> Check:
    name = "an attack without a bound fools every image"
    if not len(images):
        return Check(name, None, _NONE)
    # With this radius a random start would no longer be an image of the class.
    attack = Ascent(Pixels(Linf(1.0)), steps=_STEPS, random_start=False)
    left = len(images) - int(
        tf.math.count_nonzero(attack(model, images, labels).success)
    )
    return Check(name, not left, f"{left} of {len(images)} images stay right")


def _inversion(flow: Any, samples: Batch) -> Check:
    name = "the flow is inverted"
    if flow is None:
        return Check(name, None, "there is no flow")
    if not (hasattr(flow, "encode") and hasattr(flow, "log_prob")):
        return Check(name, None, "the generator is no flow")
    again = flow.decode(flow.encode(samples.images))
    error = float(tf.reduce_max(tf.abs(again - samples.images)))
    return Check(
        name,
        # This comparison is false for NaN, so NaN fails the check.
        error <= _INVERSION,
        f"by {error:.2g} at most, on {len(samples.images)} images",
    )


def _familiar(flow: Any, samples: Batch) -> Check:
    name = "the flow knows these images"
    found = familiarity(flow, samples.images)
    if found is None:
        return Check(name, None, "no flow that keeps its bits/dim")
    return Check(name, found.passed, str(found))
