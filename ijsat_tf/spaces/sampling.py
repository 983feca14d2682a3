"""Bilinear sampling of images between their pixels."""

from __future__ import annotations

import tensorflow as tf


def sample(images: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor) -> tf.Tensor:
    """The bilinear values of images at given places, 0 outside of the images.

    Args:
        images: Images (B, H, W, C).
        rows: Row of each place in pixels, 0 for the first row, (B, H, W).
        columns: Column of each place in pixels, (B, H, W).

    Returns:
        Values (B, H, W, C), differentiable in images, rows and columns.
    """
    _, height, width, channels = images.shape
    # With a border of zeros, a place outside can be moved to the border.
    framed = tf.pad(images, [[0, 0], [1, 1], [1, 1], [0, 0]])
    corners = tf.concat(
        [
            framed[:, top : top + height + 1, left : left + width + 1]
            for top in (0, 1)
            for left in (0, 1)
        ],
        axis=-1,
    )

    def split(places: tf.Tensor, side: int) -> tuple[tf.Tensor, tf.Tensor]:
        places = tf.clip_by_value(places, -1.0, float(side)) + 1
        whole = tf.minimum(tf.floor(tf.stop_gradient(places)), side)
        return tf.cast(whole, tf.int32), (places - whole)[..., None]

    row, down = split(rows, height)
    column, right = split(columns, width)
    found = tf.gather(
        tf.reshape(corners, [-1, (height + 1) * (width + 1), 4 * channels]),
        row * (width + 1) + column,
        batch_dims=1,
    )
    upper_left, upper_right, lower_left, lower_right = tf.split(found, 4, -1)
    upper = upper_left + right * (upper_right - upper_left)
    lower = lower_left + right * (lower_right - lower_left)
    return upper + down * (lower - upper)
