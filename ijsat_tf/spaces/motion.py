"""Motion kernels: the shapes of flakes that fall along a line."""

from __future__ import annotations

import tensorflow as tf

SIDE = 13


def kernels(draws: tf.Tensor) -> tf.Tensor:
    """Motion kernels of seven kinds of flakes, (B, 7, 13, 13).

    A kernel is a slightly blurred line of width 1, 3 or 5. The line leads from
    the middle to a random point below and to the right, and as far in the
    opposite direction. Either all kernels of an image are mirrored or none.

    Args:
        draws: Random numbers (B, 7, 4) in [-1, 1): the point's row and
            column, the width, and the blur. The sign of the first kernel's
            blur decides whether kernels are mirrored.
    """
    fraction = (draws + 1) / 2
    lowest = tf.floor(5 * fraction[..., :2]) + 2
    width = 1 + 2 * tf.cast(fraction[..., 2] >= 0.6, draws.dtype)
    width += 2 * tf.cast(fraction[..., 2] >= 0.9, draws.dtype)
    deviation = 0.41 + 0.19 * tf.abs(draws[..., 3])
    return blurred_lines(lowest, width, deviation, draws[:, 0, 3] < 0)


def blurred_lines(
    end: tf.Tensor, width: tf.Tensor, deviation: tf.Tensor, mirror: tf.Tensor
) -> tf.Tensor:
    """Lines through the middle, blurred, (B, 7, 13, 13).

    Args:
        end: Rows and columns from the middle to a line's end, (B, 7, 2).
        width: Widths of the lines, (B, 7).
        deviation: Standard deviation of the Gaussian blur, whose side is 3,
            (B, 7).
        mirror: Whether left and right are exchanged, (B,) bool.
    """
    end, width, deviation = (
        part[..., None, None] for part in (end, width, deviation)
    )
    down, right = end[:, :, 0], end[:, :, 1]
    middle = SIDE // 2
    row, column = tf.meshgrid(
        *2 * [tf.range(middle + 1, dtype=width.dtype)], indexing="ij"
    )
    steep = down > right
    along, across = tf.where(steep, row, column), tf.where(steep, column, row)
    length = tf.maximum(down, right)
    slope = tf.minimum(down, right) / length
    reach = 1 + width * tf.sqrt(1 + slope) / 4
    line = tf.clip_by_value(reach - tf.abs(across - slope * along), 0, 1)
    line = tf.where(along <= length, line, 0)
    # The blur needs one zero more on each side.
    before, after = [0, 0], [middle + 1, 1]
    line = tf.pad(line, [before, before, after, after])
    line = tf.maximum(line, tf.reverse(line, [2, 3]))
    line = tf.where(mirror[:, None, None, None], tf.reverse(line, [3]), line)
    side = tf.exp(-0.5 / tf.square(deviation))
    line = side * (line[:, :, :-2] + line[:, :, 2:]) + line[:, :, 1:-1]
    line = side * (line[..., :-2] + line[..., 2:]) + line[..., 1:-1]
    return line / tf.square(1 + 2 * side)
