"""Squeeze against NumPy, where it is a reshape and a transposition."""

import numpy as np

from ijsat_tf.flows import Squeeze
from tests import jacobian

IMAGES = np.random.default_rng(0).random((2, 4, 6, 3))


def _squeezed(images):
    batch, height, width, channels = images.shape
    blocks = images.reshape(batch, height // 2, 2, width // 2, 2, channels)
    blocks = blocks.transpose(0, 1, 3, 2, 4, 5)
    return blocks.reshape(batch, height // 2, width // 2, 4 * channels)


def test_blocks_become_channels():
    np.testing.assert_array_equal(Squeeze().inverse(IMAGES), _squeezed(IMAGES))


def test_channels_become_blocks():
    np.testing.assert_array_equal(Squeeze().forward(_squeezed(IMAGES)), IMAGES)


def test_its_log_determinant_is_0():
    numerical = jacobian.log_abs_det(Squeeze().inverse, IMAGES[:1])
    np.testing.assert_allclose(numerical, 0, atol=1e-6)
    log_det = Squeeze().inverse_log_det_jacobian(IMAGES, event_ndims=3)
    np.testing.assert_array_equal(log_det, 0)


def test_shapes():
    assert Squeeze().inverse_event_shape([4, 6, 3]) == [2, 3, 12]
    assert Squeeze().forward_event_shape([2, 3, 12]) == [4, 6, 3]
