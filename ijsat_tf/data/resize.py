"""Resizing of images."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def resize(images: Any, image_size: tuple[int, int]) -> tf.Tensor:
    """Resizes images bilinearly with antialiasing, to any aspect ratio.

    Args:
        images: Images (B, H, W, C), or one image (H, W, C), uint8.
        image_size: Size (H, W) in pixels.

    Returns:
        Images of that size, uint8.
    """
    resized = tf.image.resize(images, image_size, antialias=True)
    return tf.cast(tf.round(resized), tf.uint8)
