"""A set of labelled images, in memory as a whole.

Images stay what they are on disk, integer grey levels; nothing here shuffles
or augments.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ijsat_tf.checks import require


class Source(NamedTuple):
    """A set of labelled images.

    Attributes:
        images: (N, H, W, C) uint8, grey levels 0 to bins - 1.
        labels: (N,) int32, classes 0 to classes - 1.
        classes: the number of classes.
        bins: the number of grey levels.
    """

    images: np.ndarray
    labels: np.ndarray
    classes: int
    bins: int = 256

    def scaled(self) -> np.ndarray:
        """The images in [0, 1], levels / (bins - 1), (N, H, W, C) float32."""
        return self.images.astype(np.float32) / np.float32(self.bins - 1)

    def take(self, count: int) -> Source:
        """The first images, in the set's own order.

        Args:
            count: how many, 1 to N.

        Raises:
            ValueError: if there are fewer.
        """
        require(
            0 < count <= len(self.images),
            f"`count` must be from 1 to the set's {len(self.images)} images; "
            "take fewer, or load another split.",
            count,
        )
        return self._replace(
            images=self.images[:count], labels=self.labels[:count]
        )

    def hold_out(self, count: int) -> tuple[Source, Source]:
        """All images but the last ones, and the last ones.

        Args:
            count: how many to hold out, 1 to N - 1.

        Raises:
            ValueError: if there are fewer.
        """
        rest = len(self.images) - count
        require(
            0 < count < len(self.images),
            f"`count` must be from 1 to {len(self.images) - 1}: some of the "
            f"set's {len(self.images)} images must be left.",
            count,
        )
        last = self._replace(
            images=self.images[rest:], labels=self.labels[rest:]
        )
        return self.take(rest), last
