"""The images that come with the library are those of CIFAR-10's test set."""

import os

import numpy as np
import pytest

from ijsat_tf.data import load, samples


def test_samples_are_images_in_0_1_with_labels():
    images, labels = samples("cifar10")
    assert images.shape == (100, 32, 32, 3) and images.dtype == np.float32
    assert images.min() >= 0 and images.max() <= 1
    levels = images * 255
    np.testing.assert_allclose(levels, np.round(levels), atol=1e-4)
    assert len(np.unique(images.reshape(100, -1), axis=0)) == 100
    assert labels.shape == (100,)


def test_the_first_samples_are_of_all_classes():
    images, labels = samples("cifar10", 20)
    np.testing.assert_array_equal(np.bincount(labels), [2] * 10)
    np.testing.assert_array_equal(images, samples(n=100)[0][:20])


@pytest.mark.parametrize("n", [0, 101, 2.5, "10"])
def test_another_number_is_refused(n):
    with pytest.raises(ValueError, match="`n` must be a whole number"):
        samples("cifar10", n)


def test_another_name_is_refused():
    with pytest.raises(ValueError, match="`name` must be 'cifar10'"):
        samples("mnist")


def test_samples_are_the_first_test_images_of_each_class():
    folder = os.environ.get("IJSAT_DATA_DIR")
    if folder is None:
        pytest.skip("IJSAT_DATA_DIR names no folder of data sets")
    test = load("cifar10", "test", folder)
    images, labels = samples("cifar10")
    for label in range(10):
        expected = test.scaled()[test.labels == label][:10]
        np.testing.assert_array_equal(images[labels == label], expected)
