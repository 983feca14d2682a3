"""The error of a flow's inverse, which comes from rounding alone."""

from __future__ import annotations

import numpy as np

from ijsat_tf.flows.glow import Glow
from ijsat_tf.types import Tensor


def inversion_errors(flow: Glow, images: Tensor) -> dict[str, float]:
    """Measures max |x - G(G^-1(x))| on images and on unnatural inputs.

    Args:
        flow: Trained flow.
        images: Images (B, H, W, C) in [0, 1] that the flow has not been trained
            on.

    Returns:
        Errors by name, on the scale of [0, 1], one for each of the `kinds` of
        images, and one for the images when the coupling nets compute in
        bfloat16.
    """
    found = kinds(images)
    errors = {kind: _error(flow, batch) for kind, batch in found.items()}
    rough = flow.with_dtype("mixed_bfloat16")
    return {**errors, "images, bfloat16 nets": _error(rough, found["images"])}


def kinds(images: Tensor) -> dict[str, np.ndarray]:
    """The given images, and batches of images that flows are not trained on.

    Args:
        images: Images (B, H, W, C) in [0, 1].

    Returns:
        Batches by name, which are the images, a black, a white and a
        checkerboard image, eight images of random saturated values and eight
        of noise.
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
