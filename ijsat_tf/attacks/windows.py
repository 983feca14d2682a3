"""Windows of the Square attack: where its squares lie, how long they are.

All samples share the windows, so that results do not depend on a sample's
place in the batch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from ijsat_tf import seeds

# After so many queries, squares cover half of what they covered before.
_HALVINGS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)


def sides(
    queries: int, height: int, width: int, least: int = 1, odd: bool = False
) -> np.ndarray:
    """The side of each query's square; the first cover 0.8 of the image.

    Args:
        queries: how many.
        height: H.
        width: W.
        least: the smallest side, default 1.
        odd: whether sides are odd where the image has room, default False.
    """
    halved = np.searchsorted(_HALVINGS, np.arange(queries))
    found = np.sqrt(0.8 * 0.5**halved * height * width)
    found = np.maximum(np.round(found).astype("int32"), least)
    if odd:
        found += found % 2 == 0
    return np.minimum(found, min(height, width))


class Windows:
    """The squares of a search, one or two a query, and what they change.

    Subclasses, one a norm, give three methods, and settings of `sides`.

    Args:
        radius: of the ball.
        images: (B, H, W, C).
        queries: how many.
        seed: (2,) int32.
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
        """What `propose` needs to know of these samples."""
        raise NotImplementedError

    def propose(
        self, query: tf.Tensor, best: tf.Tensor, known: Any
    ) -> tf.Tensor:
        """The images to ask about.

        Args:
            query: its number.
            best: (R, H, W, C), the best so far.
            known: what `of` gave for them.
        """
        raise NotImplementedError


def _corners(
    lengths: np.ndarray, height: int, width: int, count: int, seed: tf.Tensor
) -> tf.Tensor:
    """Upper left corners, (queries, count, 2)."""
    draw = tf.random.stateless_uniform(
        [len(lengths), count, 2], seeds.derive(seed, "corners")
    )
    # As in the official code, the last place is never drawn.
    room = np.stack([height - lengths, width - lengths], axis=1)
    return tf.cast(draw * room[:, None].astype("float32"), tf.int32)


def inside(like: tf.Tensor, corner: tf.Tensor, side: tf.Tensor) -> tf.Tensor:
    """1 inside a window, else 0, (H, W, 1)."""
    _, height, width, _ = like.shape
    down, right = tf.range(height) - corner[0], tf.range(width) - corner[1]
    rows = tf.cast((down >= 0) & (down < side), like.dtype)
    columns = tf.cast((right >= 0) & (right < side), like.dtype)
    return rows[:, None, None] * columns[:, None]


def sign(draw: tf.Tensor) -> tf.Tensor:
    """1 for numbers of at least 0, else -1."""
    return tf.cast(draw >= 0, draw.dtype) * 2 - 1
