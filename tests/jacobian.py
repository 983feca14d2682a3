"""The Jacobian of a map by central differences, to hold formulas against."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf


def log_abs_det(function: Callable, points: np.ndarray) -> np.ndarray:
    """log |det| of the Jacobian of a map at each point, (B,) float64.

    Args:
        function: maps (N, ...) float64 to such a tensor or a list of them.
        points: (B, ...) float64.
    """

    def flat(inputs: np.ndarray) -> np.ndarray:
        outputs = tf.nest.flatten(function(tf.constant(inputs)))
        return np.concatenate(
            [np.reshape(output, (len(inputs), -1)) for output in outputs], 1
        )

    epsilon, size = 1e-6, points[0].size
    moves = epsilon * np.eye(size).reshape(size, *points.shape[1:])
    jacobians = [
        (flat(point + moves) - flat(point - moves)) / (2 * epsilon)
        for point in points
    ]
    return np.linalg.slogdet(np.stack(jacobians))[1]
