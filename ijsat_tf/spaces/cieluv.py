"""The colour space CIELUV, scaled so that most colours are in [0, 1]."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

# Linear sRGB to CIE XYZ and back.
TO_XYZ = np.array(
    [
        [0.4124, 0.3576, 0.1805],
        [0.2126, 0.7152, 0.0722],
        [0.0193, 0.1192, 0.9505],
    ]
)
FROM_XYZ = np.linalg.inv(TO_XYZ)
_TINY = 1e-10


def _chromaticity(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    return np.array([4 * x, 9 * y]) / (x + 15 * y + 3 * z)


# The chromaticities (u', v') of white and of red, green and blue.
WHITE = _chromaticity(*TO_XYZ.sum(1))
_PRIMARIES = _chromaticity(*TO_XYZ)
_LEAST, _MOST = _PRIMARIES.min(1), _PRIMARIES.max(1)


def from_rgb(images: tf.Tensor) -> tf.Tensor:
    """The colours (L* / 100, (u* + 100) / 200, (v* + 100) / 200) of pixels.

    L* = 116 Y^(1/3) - 16, and (29 / 3)^3 Y for Y below (6 / 29)^3
    u* = 13 L* (u' - u'_white), u' = 4 X / (X + 15 Y + 3 Z)
    v* = 13 L* (v' - v'_white), v' = 9 Y / (X + 15 Y + 3 Z)

    Args:
        images: Images (B, H, W, 3) of sRGB, in [0, 1].

    Returns:
        Colours (B, H, W, 3). Lightness is in [0, 1]; saturated colours leave
        [0, 1] in the other two.

    Source: CIE 1976, for IEC 61966-2-1 (sRGB).
    """
    # Each power gets only numbers of its own branch: a power of the other
    # numbers would have a gradient of NaN, although `tf.where` drops the power.
    bright = ((tf.maximum(images, 0.04045) + 0.055) / 1.055) ** 2.4
    linear = tf.where(images <= 0.04045, images / 12.92, bright)
    x, y, z = tf.unstack(_product(linear, TO_XYZ), axis=-1)
    edge = (6 / 29) ** 3
    lightness = tf.where(
        y <= edge,
        (29 / 3) ** 3 * y,
        116 * tf.maximum(y, edge) ** (1 / 3) - 16,
    )
    total = x + 15 * y + 3 * z + _TINY
    u = 13 * lightness * (4 * x / total - WHITE[0])
    v = 13 * lightness * (9 * y / total - WHITE[1])
    return tf.stack([lightness / 100, (u + 100) / 200, (v + 100) / 200], -1)


def to_rgb(colours: tf.Tensor) -> tf.Tensor:
    """The inverse of `from_rgb`.

    Args:
        colours: Colours (B, H, W, 3). u' and v' are clipped to the range of
            red, green and blue, beyond which a dark colour would turn into a
            bright one. X, Y and Z are clipped to [0, 1.1].

    Returns:
        Images (B, H, W, 3) of sRGB, outside of [0, 1] for colours that sRGB
        does not have.
    """
    lightness, u, v = tf.unstack(colours, axis=-1)
    lightness = 100 * tf.maximum(lightness, 0.0)
    u, v = (
        tf.clip_by_value(
            (200 * part - 100) / (13 * lightness + _TINY) + white, least, most
        )
        for part, white, least, most in zip((u, v), WHITE, _LEAST, _MOST)
    )
    y = tf.where(
        lightness <= 8,
        (3 / 29) ** 3 * lightness,
        ((lightness + 16) / 116) ** 3,
    )
    x = 9 * y * u / (4 * v)
    z = y * (12 - 3 * u - 20 * v) / (4 * v)
    xyz = tf.clip_by_value(tf.stack([x, y, z], axis=-1), 0.0, 1.1)
    linear = _product(xyz, FROM_XYZ)
    edge = 0.04045 / 12.92
    bright = 1.055 * tf.maximum(linear, edge) ** (1 / 2.4) - 0.055
    return tf.where(linear <= edge, 12.92 * linear, bright)


def _product(colours: tf.Tensor, matrix: np.ndarray) -> tf.Tensor:
    return tf.einsum("bhwc,dc->bhwd", colours, tf.cast(matrix, colours.dtype))
