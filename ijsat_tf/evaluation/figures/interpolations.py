"""Interpolations between images in a flow's latents."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from ijsat_tf import checks
from ijsat_tf.evaluation.figures.panels import sample_grid
from ijsat_tf.evaluation.figures.saving import Paths
from ijsat_tf.flows import Glow
from ijsat_tf.types import Tensor


def interpolations(
    flow: Glow,
    images: Tensor,
    others: Tensor,
    path: Paths,
    columns: int = 9,
) -> None:
    """Draws interpolations between pairs of images in a flow's latents.

    Each pair x, x' is a line of images G((1 - t) G^-1(x) + t G^-1(x')) for t
    from 0 to 1.

    Args:
        flow: Flow G.
        images: Images x, (B, H, W, C) in [0, 1].
        others: Images x', (B, H, W, C) in [0, 1].
        path: Path of the picture to write, or several paths; their endings
            tell the formats.
        columns: Number of values of t, default 9.

    Raises:
        ValueError: for fewer than two columns, or sets of different shapes.
    """
    ends = [checks.images(images), checks.images(others)]
    checks.require(columns >= 2, "`columns` must be 2 or more.", columns)
    checks.require(
        ends[0].shape == ends[1].shape,
        "`others` must have the shape of `images`.",
        f"{tuple(ends[0].shape)} and {tuple(ends[1].shape)}",
    )
    here, there = (flow.encode(end) for end in ends)
    lines = []
    for share in np.linspace(0, 1, columns):
        between = tf.nest.map_structure(
            lambda one, other, t=share: (1 - t) * one + t * other, here, there
        )
        lines.append(np.asarray(flow.decode(between)))
    stacked = np.stack(lines, axis=1).reshape(-1, *ends[0].shape[1:])
    sample_grid(stacked, path, columns)
