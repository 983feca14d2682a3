"""Norms by their names, each with its dual norm and a projection."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from ijsat_tf.rows import each, joined, parted
from ijsat_tf.spaces import L1, L2, Linf
from ijsat_tf.spaces.l1 import nearest


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


# A norm does not depend on the radius.
l1, l2, linf = L1(0.0).norm, L2(0.0).norm, Linf(0.0).norm


def _onto_l1(change: tf.Tensor, radius: tf.Tensor) -> tf.Tensor:
    vectors = joined(change)
    found = nearest(vectors, tf.abs(vectors), radius[:, None])
    return parted(found, change)


def _onto_l2(change: tf.Tensor, radius: tf.Tensor) -> tf.Tensor:
    return change * each(radius / tf.maximum(l2(change), radius + _TINY))


def _onto_linf(change: tf.Tensor, radius: tf.Tensor) -> tf.Tensor:
    radius = each(radius, change)
    return tf.clip_by_value(change, -radius, radius)


_TINY = 1e-30

NORMS = {
    "l1": Norm(l1, linf, _onto_l1),
    "l2": Norm(l2, l2, _onto_l2),
    "linf": Norm(linf, l1, _onto_linf),
}
