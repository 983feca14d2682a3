"""Mixup: convex combinations of pairs of samples with one alpha.

Eq. 6 and lines 4 to 6 of Algorithm 1. The paper prints Beta(-tau, tau),
which is not a distribution; this module draws from Beta(tau, tau).
"""

from __future__ import annotations

import tensorflow as tf
import tensorflow_probability as tfp

from ijsat_tf import checks, seeds
from ijsat_tf.rows import each
from ijsat_tf.samples import Batch


def check(tau: float, per: str) -> None:
    """Raises `ValueError` unless `alphas` can draw with these settings."""
    checks.not_negative("tau", tau)
    checks.require(
        per in ("sample", "batch"),
        "`alpha` must be 'sample' or 'batch'.",
        repr(per),
    )


def alphas(
    rows: int | tf.Tensor, tau: float, seed: tf.Tensor, per: str = "sample"
) -> tf.Tensor:
    """Draws alpha ~ Beta(tau, tau), (rows,), one per sample or one per batch.

    With tau = 0.1 a draw may be exactly 0 or 1; with tau = 0 all draws are 1.
    """
    if tau == 0:
        return tf.ones([rows])
    beta = tfp.distributions.Beta(tau, tau)
    if per == "batch":
        return tf.repeat(beta.sample([1], seed=seed), rows)
    return seeds.of_this_replica(
        lambda count: beta.sample([count], seed=seed), rows
    )


def partners(rows: int | tf.Tensor) -> tf.Tensor:
    """The partner i xor 1 of each place i; an unpaired last place keeps itself.

    Batches are shuffled, so neighbours are random pairs, and a pair never
    spans two replicas.
    """
    places = tf.range(rows)
    return tf.minimum(tf.bitwise.bitwise_xor(places, 1), rows - 1)


def interpolate(
    items: tf.Tensor, alpha: tf.Tensor, pairs: tf.Tensor
) -> tf.Tensor:
    """Returns alpha items_i + (1 - alpha) items_j, for items (B, ...)."""
    weight = tf.cast(each(alpha, items), items.dtype)
    return weight * items + (1 - weight) * tf.gather(items, pairs)


def mix(batch: Batch, alpha: tf.Tensor, pairs: tf.Tensor) -> Batch:
    """Mixes a batch by IM(x) = alpha x_i + (1 - alpha) x_j.

    Labels and latents are mixed in the same way. Integers among the latents,
    such as the placements of augmented images, cannot be interpolated: a
    mixture has the integers of its sample i.

    Args:
        batch: Samples to mix.
        alpha: Weights alpha, (B,), in [0, 1].
        pairs: Places j of the partners, (B,).
    """

    def mixed(items: tf.Tensor | None) -> tf.Tensor | None:
        if items is None or items.dtype.is_integer:
            return items
        return interpolate(items, alpha, pairs)

    return tf.nest.map_structure(mixed, batch)


def mixup(
    batch: Batch, tau: float, seed: tf.Tensor, per: str = "sample"
) -> Batch:
    """Mixes a batch with itself (input mixup); `tau` 0 leaves it unmixed."""
    if tau == 0:
        return batch
    rows = tf.shape(batch.images)[0]
    return mix(batch, alphas(rows, tau, seed, per), partners(rows))
