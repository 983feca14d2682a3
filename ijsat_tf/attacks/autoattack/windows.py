"""The squares of the Square attack: their places and sides.

All samples share the squares, so that the result of a sample does not depend
on its place in the batch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from ijsat_tf import seeds

# At each of these numbers of queries, the area of the squares is halved.
_HALVINGS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)


def sides(
    queries: int, height: int, width: int, least: int = 1, odd: bool = False
) -> np.ndarray:
    """The side of each query's square; the first squares cover 0.8 of an image.

    Args:
        queries: Number of queries.
        height: Height H of the image.
        width: Width W of the image.
        least: Smallest side, default 1.
        odd: Whether sides are odd where the image has room, default False.
    """
    halved = np.searchsorted(_HALVINGS, np.arange(queries))
    found = np.sqrt(0.8 * 0.5**halved * height * width)
    found = np.maximum(np.round(found).astype("int32"), least)
    if odd:
        found += found % 2 == 0
    return np.minimum(found, min(height, width))


class Windows:
    """The squares of a search, one or two per query, and their changes.

    There is one subclass per norm. Subclasses define three methods and the
    settings of `sides`.

    Args:
        radius: Radius of the ball.
        images: Images (B, H, W, C).
        queries: Number of queries.
        seed: Random seed, (2,) int32.
    """

    count, least, odd = 1, 1, False

    def __init__(
        self, radius: float, images: tf.Tensor, queries: int, seed: tf.Tensor
    ):
        self.radius, self.images, self.seed = radius, images, seed
        height, width, _ = images.shape[1:]
        self.lengths = sides(queries, height, width, self.least, self.odd)
        self.sides = tf.constant(self.lengths)
        self.corners = _corners(self.lengths, height, width, self.count, seed)

    def start(self) -> tf.Tensor:
        """The images to start from, (B, H, W, C)."""
        raise NotImplementedError

    def of(self, rows: tf.Tensor) -> Any:
        """The data about these samples that `propose` needs."""
        raise NotImplementedError

    def propose(
        self, query: tf.Tensor, best: tf.Tensor, known: Any
    ) -> tf.Tensor:
        """The images of the next query.

        Args:
            query: Number of the query.
            best: Best images so far, (R, H, W, C).
            known: Data that `of` returned for these samples.
        """
        raise NotImplementedError


def _corners(
    lengths: np.ndarray, height: int, width: int, count: int, seed: tf.Tensor
) -> tf.Tensor:
    """The upper left corners of the squares, (queries, count, 2)."""
    draw = tf.random.stateless_uniform(
        [len(lengths), count, 2], seeds.derive(seed, "corners")
    )
    # As in the official code, the last possible place is never drawn.
    room = np.stack([height - lengths, width - lengths], axis=1)
    return tf.cast(draw * room[:, None].astype("float32"), tf.int32)


def inside(like: tf.Tensor, corner: tf.Tensor, side: tf.Tensor) -> tf.Tensor:
    """A mask that is 1 inside a window, else 0, (H, W, 1)."""
    _, height, width, _ = like.shape
    down, right = tf.range(height) - corner[0], tf.range(width) - corner[1]
    rows = tf.cast((down >= 0) & (down < side), like.dtype)
    columns = tf.cast((right >= 0) & (right < side), like.dtype)
    return rows[:, None, None] * columns[:, None]


def sign(draw: tf.Tensor) -> tf.Tensor:
    """The sign of numbers: 1 for numbers of at least 0, else -1."""
    return tf.cast(draw >= 0, draw.dtype) * 2 - 1
