"""The worst of a grid against a loop over it, with SciPy's renders."""

import itertools

import numpy as np
import pytest

from ijsat_tf.attacks import RotateTranslate, RotateTranslateGrid
from tests import tiny
from tests.spaces.rotate_translate_test import scipy_s

LABELS = np.array([0, 1, 0, 1])


@pytest.mark.parametrize("targeted", [False, True])
def test_it_is_the_worst_of_all_points(targeted):
    images = tiny.random_images(4)
    _, model = tiny.make_linear()
    attack = RotateTranslateGrid(
        30, 2, rotations=5, translations=3, targeted=targeted
    )
    found = attack(model, images, LABELS)
    changes = [
        (0, 0, 0),
        *itertools.product(np.linspace(-30, 30, 5), [-2, 0, 2], [-2, 0, 2]),
    ]
    renders = np.stack(
        [
            [scipy_s(image, *change) for image in images.astype(float)]
            for change in changes
        ]
    ).astype("float32")
    logits = np.array([model(each) for each in renders])
    other = np.take_along_axis(logits, 1 - LABELS[None, :, None], 2)[..., 0]
    own = np.take_along_axis(logits, LABELS[None, :, None], 2)[..., 0]
    loss = np.log1p(np.exp(other - own))
    best = loss.min(0) if targeted else loss.max(0)
    np.testing.assert_allclose(found.loss, best, rtol=1e-5)
    place = np.argmin(loss, 0) if targeted else np.argmax(loss, 0)
    expected = renders[place, np.arange(4)]
    np.testing.assert_allclose(found.images, expected, atol=1e-5)
    angle = np.abs([changes[each][0] for each in place])
    np.testing.assert_allclose(found.budget["rotation"], angle, rtol=1e-5)
    np.testing.assert_array_equal(
        found.success, (best < np.log(2)) if targeted else best > np.log(2)
    )


def test_one_point_is_the_image():
    images = tiny.random_images(4)
    _, model = tiny.make_linear()
    attack = RotateTranslateGrid(30, 2, rotations=1, translations=1)
    found = attack(model, images, LABELS)
    np.testing.assert_array_equal(found.images, images)
    assert attack.radii == RotateTranslate(30, 2).radii


@pytest.mark.parametrize("name", ["rotations", "translations"])
def test_counts_out_of_range(name):
    with pytest.raises(ValueError, match=f"`{name}` must be an integer"):
        RotateTranslateGrid(30, 2, **{name: 0})
