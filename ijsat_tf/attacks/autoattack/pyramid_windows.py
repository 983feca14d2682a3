"""The moves of the Square attack by pyramids, in L2 and L1 balls."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from ijsat_tf import seeds
from ijsat_tf.attacks.autoattack.windows import Windows, inside, sign
from ijsat_tf.rows import each


class PyramidWindows(Windows):
    """Pyramids that take over the norm of a second window (Algorithm 3).

    The samples of a batch share the windows and have signs of their own. There
    is one subclass per norm.

    Attributes:
        order: Order p of the norm.
        decay: Power k of the heights of a pyramid's rings, see `pyramids`.
        gain: Factor of the norm that a new window has, default 1.
    """

    count, least, odd = 2, 3, True
    order, decay, gain = 2, 2, 1

    def __init__(
        self, radius: float, images: tf.Tensor, queries: int, seed: tf.Tensor
    ):
        super().__init__(radius, images, queries, seed)
        self.turned = _coins([queries], seeds.derive(seed, "turned"))
        # A table of one padded pyramid per side length, and each query's row.
        kinds, self.kind = np.unique(self.lengths, return_inverse=True)
        self.pyramids = np.zeros([len(kinds), kinds[-1], kinds[-1]])
        for table, length in zip(self.pyramids, kinds):
            table[:length, :length] = self._pyramids(length)
        self.pyramids = self.pyramids.astype(images.dtype.name)

    def start(self) -> tf.Tensor:
        """A grid of 5 by 5 pyramids, with signs per sample, channel, tile."""
        height, width, channels = self.images.shape[1:]
        side = max(height // 5, 1)
        margin = max(height - 5 * side, 0) // 2
        rows, columns = height // side, width // side
        turned = _coins([rows, columns], seeds.derive(self.seed, "tiles"))
        tile = self._pyramids(side).astype(self.images.dtype.name)
        tiles = tf.where(turned[:, :, None, None], tile.T, tile)
        tiles = tf.reshape(
            tf.transpose(tiles, [0, 2, 1, 3]), [rows * side, columns * side, 1]
        )
        # One number per sample, tile and channel.
        like = tf.zeros_like(self.images[:, :1, :1, :1])
        like = tf.tile(like, [1, rows, columns, channels])
        signs = sign(seeds.uniform(like, seeds.derive(self.seed, "signs")))
        signs = tf.repeat(tf.repeat(signs, side, axis=1), side, axis=2)
        change = tf.pad(
            tiles * signs, [[0, 0], [margin] * 2, [margin] * 2, [0, 0]]
        )
        change = change[:, :height, :width]
        change = tf.pad(
            change,
            [
                [0, 0],
                [0, height - change.shape[1]],
                [0, width - change.shape[2]],
                [0, 0],
            ],
        )
        return self.fit(self.images, change)

    def of(self, rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return rows, tf.gather(self.images, rows)

    def propose(
        self,
        query: tf.Tensor,
        best: tf.Tensor,
        known: tuple[tf.Tensor, tf.Tensor],
    ) -> tf.Tensor:
        rows, images = known
        side, corners = self.sides[query], self.corners[query]
        here = inside(best, corners[0], side)
        other = inside(best, corners[1], side)
        change = best - images
        window = _cut(change, corners[0], side)
        beside = _cut(change * (1 - here), corners[1], side)
        budget = self.sums(window)
        pyramid = self.pyramids_of(query, side)
        signs = sign(
            seeds.uniform(
                self.images[:, :1, :1],
                seeds.derive(self.seed, "pyramid", query),
            )
        )
        new = pyramid * tf.gather(signs, rows)
        new += window / (self.root(budget) + 1e-12)
        # The norm per channel: the unused part of the ball's radius, plus the
        # norm of the two windows.
        budget += self.sums(beside)
        left = tf.maximum(self.unused(change), 0) / best.shape[-1]
        length = self.root(self.sums(new))
        granted = self.gain * self.root(each(left, best) + budget)
        new *= granted / (length + 1e-12)
        change *= (1 - here) * (1 - other)
        change += _paste(new, best, corners[0], side)
        return self.fit(images, change)

    def pyramids_of(self, query: tf.Tensor, side: tf.Tensor) -> tf.Tensor:
        """The pyramids of a query, (side, side, 1)."""
        kind = tf.gather(self.kind, query)
        table = tf.gather(self.pyramids, kind)[:side, :side]
        table = tf.cond(
            self.turned[query], lambda: tf.transpose(table), lambda: table
        )
        return table[:, :, None]

    def sums(self, window: tf.Tensor) -> tf.Tensor:
        """The sums of |c|^p over each channel of a window, (B, 1, 1, C)."""
        raise NotImplementedError

    def root(self, sums: tf.Tensor) -> tf.Tensor:
        """The p-th roots of sums."""
        raise NotImplementedError

    def unused(self, change: tf.Tensor) -> tf.Tensor:
        """The part radius^p - |c|_p^p of the ball that is not used, (B,)."""
        raise NotImplementedError

    def fit(self, images: tf.Tensor, change: tf.Tensor) -> tf.Tensor:
        """The images (B, H, W, C) of a change, in the ball and in [0, 1]."""
        raise NotImplementedError

    def _pyramids(self, side: int) -> np.ndarray:
        return pyramids(side, self.order, self.decay)


def pyramids(side: int, order: int = 2, decay: int = 2) -> np.ndarray:
    """An upright and an inverted pyramid side by side, of norm 1 (Figure 3).

    Args:
        side: Side of the square in pixels.
        order: Order of the norm, default 2.
        decay: Power k of the heights: the n-th ring from the middle is 1 / n^k
            higher than the next ring; default 2.
    """

    def normalized(part: np.ndarray) -> np.ndarray:
        return part / np.linalg.norm(part.ravel(), order)

    found = np.zeros([side, side])
    half = side // 2
    for first, last, way in ((0, half, 1), (half, side, -1)):
        height, width = last - first, side
        rows = np.abs(np.arange(height) - height // 2)[:, None]
        columns = np.abs(np.arange(width) - width // 2)
        rings = max(height // 2 + 1, width // 2 + 1)
        steps = 1 / np.arange(1, rings + 1) ** decay
        heights = np.cumsum(steps[::-1])[::-1]
        part = heights[np.maximum(rows, columns)]
        if height:
            found[first:last] = way * normalized(part)
    return normalized(found)


def _cut(change: tf.Tensor, corner: tf.Tensor, side: tf.Tensor) -> tf.Tensor:
    return tf.slice(change, [0, corner[0], corner[1], 0], [-1, side, side, -1])


def _paste(
    window: tf.Tensor, like: tf.Tensor, corner: tf.Tensor, side: tf.Tensor
) -> tf.Tensor:
    _, height, width, _ = like.shape
    after = [height - side - corner[0], width - side - corner[1]]
    around = [[0, 0], [corner[0], after[0]], [corner[1], after[1]], [0, 0]]
    return tf.ensure_shape(tf.pad(window, around), like.shape)


def _coins(shape: list[int], seed: tf.Tensor) -> tf.Tensor:
    return tf.random.stateless_uniform(shape, seed) < 0.5
