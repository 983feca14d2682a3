"""A set of labelled images, in memory as a whole.

Images stay integer grey levels, as on disk; nothing here shuffles or augments
them.
"""

from __future__ import annotations

import numbers
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from ijsat_tf.checks import at_least_one, require, warn


class _Parts(NamedTuple):
    images: np.ndarray
    labels: np.ndarray
    classes: int
    bins: int = 256
    latents: np.ndarray | list[np.ndarray] | None = None
    class_names: tuple[str, ...] | None = None
    origin: str = "unknown"


class Source(_Parts):
    """A set of labelled images.

    Attributes:
        images: Images (N, H, W, C), uint8, grey levels 0 to bins - 1.
        labels: Labels (N,), int32, classes 0 to classes - 1. The shape (N, 1),
            bools and whole floats are accepted too.
        classes: Number of classes.
        bins: Number of grey levels, default 256.
        latents: Latents that a generator decodes to the images, (N, D...)
            float32 or a list of such arrays, if they came with the images; else
            None, as in `source._replace(latents=None)`.
        class_names: Names of the classes, one per class, or None.
        origin: Origin of the set, in words.

    Raises:
        ValueError: for parts of other types, shapes or ranges.
    """

    __slots__ = ()

    def __new__(
        cls,
        images: np.ndarray,
        labels: np.ndarray,
        classes: int,
        bins: int = 256,
        latents: np.ndarray | list[np.ndarray] | None = None,
        class_names: tuple[str, ...] | None = None,
        origin: str = "unknown",
    ) -> Source:
        at_least_one("classes", classes)
        require(
            isinstance(bins, numbers.Integral) and bins >= 2,
            "`bins` must be an integer of at least 2.",
            repr(bins),
        )
        _require_integers(
            "images",
            images,
            4,
            f"(N, H, W, C), grey levels 0 to {bins - 1}, such as "
            f"np.rint({bins - 1} * images).astype(np.uint8) of floats in "
            "[0, 1]",
            bins,
        )
        count = len(images)
        labels = _whole(labels)
        if labels.shape == (count, 1):
            labels = labels[:, 0]
        _require_integers(
            "labels",
            labels,
            1,
            f"({count},), one of the classes 0 to {classes - 1} for each image",
            classes,
        )
        require(
            len(labels) == count,
            f"`labels` must have one entry for each of the {count} images.",
            f"shape {labels.shape}",
        )
        for part in tf.nest.flatten(latents) if latents is not None else ():
            require(
                np.shape(part)[:1] == (count,),
                f"`latents` must have one row for each of the {count} images.",
                f"shape {np.shape(part)}",
            )
        require(
            class_names is None or len(class_names) == classes,
            "`class_names` must be None, or one name for each of the "
            f"{classes} classes.",
            class_names,
        )
        return super().__new__(
            cls, images, labels, classes, bins, latents, class_names, origin
        )

    def scaled(self) -> np.ndarray:
        """The images in [0, 1], levels / (bins - 1), (N, H, W, C) float32."""
        return self.images.astype(np.float32) / np.float32(self.bins - 1)

    def inputs(self) -> np.ndarray | dict[str, Any]:
        """The inputs x as `fit` and `evaluate` take them.

        The inputs are the images in [0, 1], or {"image": ..., "latent": ...} if
        latents came with the images.
        """
        if self.latents is None:
            return self.scaled()
        return {"image": self.scaled(), "latent": self.latents}

    def channels(self) -> tuple[list[float], list[float]]:
        """Mean and standard deviation of each channel, in [0, 1]."""
        levels = np.arange(self.bins) / (self.bins - 1)
        counts = [
            np.bincount(self.images[..., channel].ravel(), minlength=self.bins)
            for channel in range(self.images.shape[-1])
        ]
        shares = np.array(counts) / self.images[..., 0].size
        means = shares @ levels
        deviations = np.sqrt(np.maximum(shares @ levels**2 - means**2, 0))
        return means.tolist(), deviations.tolist()

    def first(self, count: int) -> Source:
        """The first images, at most `count`, in the set's own order.

        Args:
            count: Largest number of images, at least 1.

        Raises:
            ValueError: for a `count` below 1.
        """
        return self._rows(slice(at_least_one("count", count)))

    def take(self, count: int) -> Source:
        """The first `count` images, in the set's own order.

        Args:
            count: Number of images, 1 to N.

        Warns:
            UserWarning: for a set that is sorted by class, if the images lack
                a class.

        Raises:
            ValueError: for a `count` out of range.
        """
        require(
            0 < count <= len(self.images),
            f"`count` must be from 1 to the set's {len(self.images)} images; "
            "take fewer, or load another split.",
            count,
        )
        return self._warned(self._rows(slice(count)))

    def hold_out(self, count: int) -> tuple[Source, Source]:
        """Splits off the last `count` images.

        Args:
            count: Number of images to hold out, 1 to N - 1.

        Warns:
            UserWarning: for a set that is sorted by class, if the last images
                lack a class.

        Returns:
            The set without the last images, and the set of the last images.

        Raises:
            ValueError: for a `count` out of range.
        """
        rest = len(self.images) - count
        require(
            0 < count < len(self.images),
            f"`count` must be from 1 to {len(self.images) - 1}: some of the "
            f"set's {len(self.images)} images must be left.",
            count,
        )
        held_out = self._warned(self._rows(slice(rest, None)))
        return self._rows(slice(rest)), held_out

    def _rows(self, rows: slice) -> Source:
        images, labels, latents = tf.nest.map_structure(
            lambda part: None if part is None else part[rows],
            (self.images, self.labels, self.latents),
        )
        return self._replace(images=images, labels=labels, latents=latents)

    def _warned(self, part: Source) -> Source:
        """Returns a part, with a warning if order by class impoverished it."""
        classes, found = map(np.unique, (self.labels, part.labels))
        # Folders of a class each make such sets; chance does not.
        in_order = np.all(self.labels[1:] >= self.labels[:-1])
        if in_order and len(found) < len(classes) <= len(part.labels):
            warn(
                f"The set is sorted by class, so these {len(part.labels)} "
                f"images have {len(found)} of its {len(classes)} classes. "
                "Shuffle images and labels together before you make or store "
                "the set."
            )
        return part


def _require_integers(
    name: str, array: Any, rank: int, what: str, below: int
) -> None:
    """Raises `ValueError` unless `array` has integers from 0 to below - 1."""
    known = isinstance(array, np.ndarray)
    require(
        known
        and array.dtype.kind in "iu"
        and array.ndim == rank
        and array.size > 0,
        f"`{name}` must be an array of integers {what}.",
        f"{array.dtype} of shape {array.shape}"
        if known
        else type(array).__name__,
    )
    low, high = array.min(), array.max()
    require(
        0 <= low and high < below,
        f"`{name}` must be an array of integers {what}.",
        low,
        high,
    )


def _whole(labels: Any) -> np.ndarray:
    """Labels as integers; bools and whole floats are converted."""
    labels = np.asarray(labels)
    floats = np.issubdtype(labels.dtype, np.floating)
    if labels.dtype == bool or floats and (labels == np.rint(labels)).all():
        return labels.astype(np.int32)
    return labels
