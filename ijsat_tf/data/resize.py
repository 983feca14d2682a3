"""Images of another size."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def resize(images: Any, image_size: tuple[int, int]) -> tf.Tensor:
    """Images resized bilinearly with antialiasing, aspect ratio not kept.

    Args:
        images: (B, H, W, C) or (H, W, C) uint8.
        image_size: pixels, (H, W).

    Returns:
        uint8.
    """
    resized = tf.image.resize(images, image_size, antialias=True)
    return tf.cast(tf.round(resized), tf.uint8)
