"""What a set in memory tells of itself."""

import warnings

import numpy as np
import pytest

from ijsat_tf.data import Source


@pytest.mark.parametrize("bins", [17, 256])
def test_means_and_deviations_of_channels(bins):
    images = np.random.default_rng(0).integers(0, bins, (20, 4, 5, 3), "uint8")
    images[..., 2] = 7
    source = Source(images, np.zeros(20, np.int32), 2, bins)
    means, deviations = source.channels()
    scaled = source.scaled().astype(np.float64)
    np.testing.assert_allclose(means, scaled.mean((0, 1, 2)), rtol=1e-6)
    np.testing.assert_allclose(
        deviations, scaled.std((0, 1, 2)), rtol=1e-6, atol=1e-8
    )
    assert deviations[2] == 0


@pytest.mark.parametrize(
    "labels", [[[0], [1]], [0.0, 1.0], [False, True]], ids=repr
)
def test_labels_of_other_forms_are_taken(labels):
    images = np.zeros((2, 4, 4, 1), np.uint8)
    source = Source(images, np.array(labels), 2)
    np.testing.assert_array_equal(source.labels, [0, 1])
    assert source.labels.dtype.kind == "i"


def test_parts_of_a_set_in_the_order_of_its_classes_are_noticed():
    images, labels = np.zeros((30, 2, 2, 1), np.uint8), np.arange(30) // 10
    source = Source(images, labels, classes=3)
    with pytest.warns(UserWarning, match="these 12 images have 2 of its 3"):
        source.take(12)
    with pytest.warns(UserWarning, match="these 9 images have 1 of its 3"):
        source.hold_out(9)
    mixed = Source(images, np.arange(30) % 7 // 3, classes=3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # All classes, too few images for all classes, and the flow's images.
        source.take(21), source.take(1), source.first(12)
        mixed.take(12), mixed.hold_out(9)
