"""FMN against the least change of a linear classifier, and targeted."""

import numpy as np
import pytest

from ijsat_tf.attacks import FastMinimumNorm
from tests import tiny
from tests.attacks.least_distance.linear import (
    INNER,
    MODEL,
    OUTER,
    labels_of,
    least_distances,
    lengths,
)


@pytest.mark.parametrize("norm", ["l1", "l2", "linf"])
@pytest.mark.parametrize("images", [INNER, OUTER], ids=["inner", "outer"])
def test_finds_the_least_change_of_a_linear_model(norm, images):
    result = FastMinimumNorm(norm, steps=200)(MODEL, images, labels_of(images))
    assert np.all(result.success)
    found = lengths(norm, result.images - images)
    expected = least_distances(norm, images)
    assert np.all(found >= expected * (1 - 1e-4))
    assert np.all(found <= expected * 1.02)


def test_target_classes_are_reached(images):
    model = tiny.make_classifier()
    classes = np.argmax(model(images), axis=1)
    targets = (classes + [0, 1, 1, 2, 2, 2]) % 3
    attack = FastMinimumNorm("l2", targeted=True)
    result = attack(model, images, targets)
    np.testing.assert_array_equal(np.argmax(model(result.images), 1), targets)
    assert np.all(result.success) and result.budget["pixels"][0] == 0
