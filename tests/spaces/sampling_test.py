"""Values between pixels against a loop over pixels and SciPy."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from ijsat_tf.spaces.sampling import sample
from tests import slopes


def places(shape, spread, seed=1):
    draws = np.random.default_rng(seed)
    _, height, width, _ = shape
    rows, columns = np.mgrid[:height, :width].astype(float)
    return [
        grid + draws.uniform(-spread, spread, (shape[0], height, width))
        for grid in (rows, columns)
    ]


@pytest.mark.parametrize("shape", [(2, 6, 6, 1), (3, 5, 8, 3)])
@pytest.mark.parametrize("spread", [0.4, 20.0])
def test_values_are_scipy_s_and_zero_outside(shape, spread):
    images = np.random.default_rng(0).random(shape)
    rows, columns = places(shape, spread)
    found = sample(tf.constant(images), rows, columns)
    for number, image in enumerate(images):
        for channel in range(shape[-1]):
            expected = ndimage.map_coordinates(
                np.pad(image[..., channel], 1),
                [rows[number] + 1, columns[number] + 1],
                order=1,
            )
            np.testing.assert_allclose(
                found[number, ..., channel], expected, atol=1e-12
            )


def test_gradients_are_those_of_finite_differences():
    shape = (2, 4, 5, 2)
    images = np.random.default_rng(0).random(shape)
    rows, columns = places(shape, 0.3)
    weights = np.random.default_rng(2).normal(size=shape)
    # Away from whole pixels, where bilinear values have a kink.
    slopes.check(
        lambda *given: tf.reduce_sum(weights * sample(*given)),
        images,
        rows + 0.5,
        columns + 0.5,
    )
