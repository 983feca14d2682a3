"""Norms by their names, each with its dual norm and a projection."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from ijsat_tf.rows import each


class Norm(NamedTuple):
    """A norm of changes, for balls of another radius for each sample.

    Attributes:
        length: Norm |d|_p, from changes (B, ...) to (B,).
        dual: Dual norm |w|_q with 1 / p + 1 / q = 1, from (B, ...) to (B,).
        project: Function from changes (B, ...) and radii (B,) to the changes
            within these radii that are nearest in the L2 norm.
    """

    length: Callable[[tf.Tensor], tf.Tensor]
    dual: Callable[[tf.Tensor], tf.Tensor]
    project: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def l1(change: tf.Tensor) -> tf.Tensor:
    """The sum of magnitudes, (B,)."""
    return tf.reduce_sum(tf.abs(_rows(change)), axis=1)


def l2(change: tf.Tensor) -> tf.Tensor:
    """The Euclidean length, (B,)."""
    return tf.sqrt(tf.reduce_sum(tf.square(_rows(change)), axis=1))


def linf(change: tf.Tensor) -> tf.Tensor:
    """The largest magnitude, (B,)."""
    return tf.reduce_max(tf.abs(_rows(change)), axis=1)


def _onto_l1(change: tf.Tensor, radius: tf.Tensor) -> tf.Tensor:
    """Shrinks magnitudes by max_k (s_1 + ... + s_k - radius) / k, or by 0.

    s_k is the k-th largest magnitude. Source: Duchi et al., Efficient
    Projections onto the l1-Ball for Learning in High Dimensions, 2008.
    """
    sizes = tf.sort(tf.abs(_rows(change)), axis=1, direction="DESCENDING")
    counts = tf.cumsum(tf.ones_like(sizes), axis=1)
    means = (tf.cumsum(sizes, axis=1) - radius[:, None]) / counts
    shrunk = each(tf.nn.relu(tf.reduce_max(means, axis=1)), change)
    return tf.sign(change) * tf.nn.relu(tf.abs(change) - shrunk)


def _onto_l2(change: tf.Tensor, radius: tf.Tensor) -> tf.Tensor:
    return change * each(radius / tf.maximum(l2(change), radius + _TINY))


def _onto_linf(change: tf.Tensor, radius: tf.Tensor) -> tf.Tensor:
    radius = each(radius, change)
    return tf.clip_by_value(change, -radius, radius)


def _rows(change: tf.Tensor) -> tf.Tensor:
    return tf.reshape(change, [tf.shape(change)[0], -1])


_TINY = 1e-30

NORMS = {
    "l1": Norm(l1, linf, _onto_l1),
    "l2": Norm(l2, l2, _onto_l2),
    "linf": Norm(linf, l1, _onto_linf),
}
