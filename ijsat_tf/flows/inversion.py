"""How exactly a flow inverts: "exact latents" are as exact as arithmetic."""

from __future__ import annotations

import numpy as np

from ijsat_tf.flows.glow import Glow
from ijsat_tf.types import Tensor


def inversion_errors(flow: Glow, images: Tensor) -> dict[str, float]:
    """max |x - G(G^-1(x))|, on images and far away from any.

    Args:
        flow: Trained flow.
        images: (B, H, W, C) in [0, 1], that the flow has not seen.

    Returns:
        Errors by their names, in [0, 1], of the `kinds` of images, and of the
        images when the coupling nets compute in bfloat16.
    """
    found = kinds(images)
    errors = {kind: _error(flow, batch) for kind, batch in found.items()}
    rough = flow.with_dtype("mixed_bfloat16")
    return {**errors, "images, bfloat16 nets": _error(rough, found["images"])}


def kinds(images: Tensor) -> dict[str, np.ndarray]:
    """Images, and others that no flow was trained on.

    Args:
        images: (B, H, W, C) in [0, 1].

    Returns:
        The images, black, white and checkerboard ones, and eight of random
        saturated values and of noise, by their names.
    """
    images = np.asarray(images)
    draws = np.random.default_rng(0).random((8, *images.shape[1:]))
    noise = draws.astype(images.dtype)
    fields = np.indices(images.shape[1:3]).sum(axis=0) % 2
    board = np.zeros_like(noise[:1]) + fields[..., np.newaxis]
    return {
        "images": images,
        "black": np.zeros_like(board),
        "white": np.ones_like(board),
        "saturated": np.round(noise),
        "checkerboard": board.astype(images.dtype),
        "noise": noise,
    }


def _error(flow: Glow, images: np.ndarray) -> float:
    again = np.asarray(flow.decode(flow.encode(images)))
    return float(np.abs(again - images).max())
