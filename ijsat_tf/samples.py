"""Conversion of all accepted forms of evaluation data into one form."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from ijsat_tf import checks
from ijsat_tf.types import Tensors


class Batch(NamedTuple):
    """Images with their labels and latents.

    Attributes:
        images: Images (B, H, W, C), float, in [0, 1].
        labels: Labels as they were given, (B,) or (B, K); inside a train step
            probabilities, (B, K).
        latents: Latents that a generator decodes to the images, or None.
    """

    images: tf.Tensor
    labels: tf.Tensor
    latents: Tensors | None = None

    def rows(self, start: int, stop: int) -> Batch:
        """The samples from `start` up to `stop`, which is left out."""
        return tf.nest.map_structure(
            lambda part: None if part is None else part[start:stop], self
        )


def gather(data: Any) -> Batch:
    """Reads evaluation data into memory, after a check of types and shapes.

    Args:
        data: Tuple (x, y), or a finite `tf.data.Dataset` of such batches: x is
            images (N, H, W, C) in [0, 1], or {"image": ..., "latent": ...}
            where latents, a tensor or several, come with the data; y labels
            (N,) or (N, K).

    Raises:
        ValueError: for data of another form, for parts that do not fit
            together, and for data without images.
    """
    if isinstance(data, tf.data.Dataset):
        data = _in_memory(data)
    checks.require(
        isinstance(data, tuple) and len(data) == 2,
        "`data` must be a tuple of images and labels, or a tf.data.Dataset "
        "of such batches.",
        type(data).__name__,
    )
    x, labels = data
    images, latents = images_and_latents(x)
    images = checks.images(images)
    checks.require(
        images.shape[0],
        "`data` must hold at least one image.",
        f"shape {tuple(images.shape)}",
    )
    labels = checks.one_a_row(labels, images)
    if latents is None:
        return Batch(images, labels)
    if isinstance(latents, tuple):
        # Generators take lists; a dataset can hold only tuples.
        latents = list(latents)
    latents = tf.nest.map_structure(tf.convert_to_tensor, latents)
    for latent in tf.nest.flatten(latents):
        checks.require(
            latent.shape[:1] == images.shape[:1],
            "The latents of `data` must have one entry for each of the "
            f"{images.shape[0]} images.",
            f"shape {tuple(latent.shape)}",
        )
    return Batch(images, labels, latents)


def images_and_latents(x: Any) -> tuple[Any, Any]:
    """Splits the x of `fit` and `evaluate` into images and latents.

    Args:
        x: Images, or {"image": ..., "latent": ...}.

    Returns:
        The images, and the latents or None.

    Raises:
        ValueError: for other keys.
    """
    if not isinstance(x, dict):
        return x, None
    checks.require(
        "image" in x and set(x) <= {"image", "latent"},
        "x must be images, or a dict with 'image' and 'latent'.",
        sorted(x),
    )
    return x["image"], x.get("latent")


def _in_memory(dataset: tf.data.Dataset) -> Any:
    spec = dataset.element_spec
    checks.require(
        isinstance(spec, tuple) and len(spec) == 2,
        "`data` must be a dataset of pairs of images and labels; choose the "
        "two with `map`.",
        spec,
    )
    checks.require(
        all(part.shape.rank != 0 for part in tf.nest.flatten(spec)),
        "`data` must be a dataset of batches; call its `batch(128)`.",
        spec,
    )
    checks.require(
        dataset.cardinality() != tf.data.INFINITE_CARDINALITY,
        "`data` must be finite, and this dataset has no end; pass "
        "`data.take(n)` for n batches.",
    )
    batches = list(dataset.as_numpy_iterator())
    checks.require(batches, "`data` must hold at least one image.")
    return tf.nest.map_structure(lambda *part: np.concatenate(part), *batches)
