"""The moves of the Square attack in an L2 ball."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from ijsat_tf import seeds
from ijsat_tf.attacks.autoattack.windows import Windows, inside, sign
from ijsat_tf.rows import each
from ijsat_tf.spaces import L2


class L2Windows(Windows):
    """Pyramids that take over the norm of a second window (Algorithm 3).

    The samples of a batch share the windows and have signs of their own.
    """

    count, least, odd = 2, 3, True

    def __init__(
        self, radius: float, images: tf.Tensor, queries: int, seed: tf.Tensor
    ):
        super().__init__(radius, images, queries, seed)
        self.turned = _coins([queries], seeds.derive(seed, "turned"))
        # A table of one padded pyramid per side length, and each query's row.
        kinds, self.kind = np.unique(self.lengths, return_inverse=True)
        self.pyramids = np.zeros([len(kinds), kinds[-1], kinds[-1]])
        for table, length in zip(self.pyramids, kinds):
            table[:length, :length] = pyramids(length)
        self.pyramids = self.pyramids.astype(images.dtype.name)

    def start(self) -> tf.Tensor:
        """A grid of 5 by 5 pyramids, with signs per sample, channel, tile."""
        height, width, channels = self.images.shape[1:]
        side = max(height // 5, 1)
        margin = max(height - 5 * side, 0) // 2
        rows, columns = height // side, width // side
        turned = _coins([rows, columns], seeds.derive(self.seed, "tiles"))
        tile = pyramids(side).astype(self.images.dtype.name)
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
        return self._at_radius(self.images, change)

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
        budget = tf.reduce_sum(tf.square(window), [1, 2], keepdims=True)
        pyramid = self.pyramids_of(query, side)
        signs = sign(
            seeds.uniform(
                self.images[:, :1, :1],
                seeds.derive(self.seed, "pyramid", query),
            )
        )
        new = pyramid * tf.gather(signs, rows)
        new += window / (tf.sqrt(budget) + 1e-12)
        # The norm per channel: the unused part of the ball's radius, plus the
        # norm of the two windows.
        budget += tf.reduce_sum(tf.square(beside), [1, 2], keepdims=True)
        left = self.radius**2 - tf.square(L2(0).norm(change))
        left = tf.maximum(left, 0) / best.shape[-1]
        length = tf.sqrt(tf.reduce_sum(tf.square(new), [1, 2], keepdims=True))
        new *= tf.sqrt(each(left, best) + budget) / (length + 1e-12)
        change *= (1 - here) * (1 - other)
        change += _paste(new, best, corners[0], side)
        return self._at_radius(images, change)

    def pyramids_of(self, query: tf.Tensor, side: tf.Tensor) -> tf.Tensor:
        """The pyramids of a query, (side, side, 1)."""
        kind = tf.gather(self.kind, query)
        table = tf.gather(self.pyramids, kind)[:side, :side]
        table = tf.cond(
            self.turned[query], lambda: tf.transpose(table), lambda: table
        )
        return table[:, :, None]

    def _at_radius(self, images: tf.Tensor, change: tf.Tensor) -> tf.Tensor:
        length = self.radius / (L2(0).norm(change) + 1e-12)
        return tf.clip_by_value(images + change * each(length, images), 0, 1)


def pyramids(side: int) -> np.ndarray:
    """An upright and an inverted pyramid side by side, of norm 1 (Figure 3).

    Args:
        side: Side of the square in pixels.
    """
    found = np.zeros([side, side])
    half = side // 2
    for first, last, way in ((0, half, 1), (half, side, -1)):
        height, width = last - first, side
        rows = np.abs(np.arange(height) - height // 2)[:, None]
        columns = np.abs(np.arange(width) - width // 2)
        # The ring n around the centre is 1 / (n + 1)^2 higher than the next.
        rings = max(height // 2 + 1, width // 2 + 1)
        steps = 1 / np.arange(1, rings + 1) ** 2
        heights = np.cumsum(steps[::-1])[::-1]
        part = heights[np.maximum(rows, columns)]
        if height:
            found[first:last] = way * part / np.linalg.norm(part)
    return found / np.linalg.norm(found)


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
