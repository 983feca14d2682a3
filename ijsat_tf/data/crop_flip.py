"""Random crops and mirroring, computed from the placement of each crop."""

from __future__ import annotations

import tensorflow as tf

PAD = 4


def placements(
    count: int, crop_seed: tf.Tensor | None, flip_seed: tf.Tensor
) -> tf.Tensor:
    """Random rows (row, column, mirrored) for `crop_flip`, (count, 3) int32.

    Args:
        count: Number of rows.
        crop_seed: Seed (2,) int32 of rows and columns, which are uniform from 0
            to 2 PAD; None sets both to PAD, which crops nothing.
        flip_seed: Seed (2,) int32 of `mirrored`, 1 with probability 1/2.
    """
    if crop_seed is None:
        corners = tf.fill([count, 2], PAD)
    else:
        corners = tf.random.stateless_uniform(
            [count, 2], crop_seed, 0, 2 * PAD + 1, tf.int32
        )
    mirrored = tf.random.stateless_uniform([count, 1], flip_seed) < 0.5
    return tf.concat([corners, tf.cast(mirrored, tf.int32)], axis=1)


def crop_flip(images: tf.Tensor, placement: tf.Tensor) -> tf.Tensor:
    """Pads images with black, crops them to their size, and mirrors them.

    The padding is PAD pixels per side, and mirroring is left to right. The
    result is differentiable in the images.

    Args:
        images: Images (B, H, W, C) of any number type.
        placement: Placements (B, 3), ints: row and column of the crop's upper
            left corner, PAD for a crop in the middle, and 1 to mirror or 0.

    Returns:
        Images of the shape and type of `images`.
    """
    _, height, width, _ = images.shape
    padded = tf.pad(images, [[0, 0], [PAD, PAD], [PAD, PAD], [0, 0]])
    row, column, mirrored = tf.split(tf.cast(placement, tf.int32), 3, axis=1)
    across = tf.range(width)
    rows = row + tf.range(height)
    columns = column + tf.where(mirrored > 0, across[::-1], across)
    cropped = tf.gather(padded, rows, axis=1, batch_dims=1)
    return tf.gather(cropped, columns, axis=2, batch_dims=1)
