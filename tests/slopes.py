"""Gradients against differences along random directions."""

import numpy as np
import tensorflow as tf


def check(function, *points, delta=1e-6, tolerance=1e-7):
    """Holds the gradients of a scalar function against its differences.

    Args:
        function: of the points, in float64.
        *points: arrays where it is smooth.
        delta: how far to go in each direction.
        tolerance: of the differences, relative to the gradient's length.
    """
    points = [tf.constant(point, tf.float64) for point in points]
    function = tf.function(function, autograph=False)
    with tf.GradientTape() as tape:
        tape.watch(points)
        reached = function(*points)
    draws = np.random.default_rng(0)
    for place, gradient in enumerate(tape.gradient(reached, points)):
        length = np.linalg.norm(gradient)
        assert length > 0
        for _ in range(8):
            direction = draws.normal(size=gradient.shape)
            ends = []
            for side in (1, -1):
                moved = list(points)
                moved[place] += side * delta * direction
                ends.append(function(*moved))
            slope = (ends[0] - ends[1]) / (2 * delta)
            expected = np.sum(gradient * direction)
            np.testing.assert_allclose(slope, expected, atol=tolerance * length)
