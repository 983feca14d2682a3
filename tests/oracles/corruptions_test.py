"""The fifteen corruptions against the original code.

On the same random numbers fourteen are the same images, up to one level in
255 where the two round otherwise; frost, whose photographs are replaced, has
the mean and the variance of the original's. OpenCV before 5 rounds the places
that an affine map reads from to 1/32 of a pixel, and elastic transforms then
differ by a few levels.
"""

import functools
import os

import numpy as np
import pytest

import ijsat_tf as ij
from tests.oracles import cifar_c

cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed")
pytest.importorskip("skimage", reason="scikit-image is not installed")
pytest.importorskip("scipy", reason="SciPy is not installed")
DATA = os.environ.get("IJSAT_DATA_DIR")
if cifar_c.folder() is None or DATA is None:
    pytest.skip(
        "IJSAT_ORACLES names no folder with a clone of robustness, or "
        "IJSAT_DATA_DIR none with CIFAR-10",
        allow_module_level=True,
    )
SUBSTITUTES = ij.data.corruptions.SUBSTITUTES
EXACT = [name for name in ij.data.CORRUPTIONS if name not in SUBSTITUTES]


@pytest.fixture(scope="module")
def original():
    return cifar_c.script()


@pytest.fixture(scope="module")
def images():
    return ij.data.load("cifar10", "test[:50]", DATA).images


@pytest.mark.parametrize("name", EXACT)
def test_the_same_images_on_the_same_random_numbers(name, original, images):
    if name in cifar_c.NEED_WAND and not cifar_c.has_wand():
        pytest.skip("Wand finds no ImageMagick")
    rounded = name == "elastic_transform" and int(cv2.__version__[0]) < 5
    for severity in range(1, 6):
        ours = ij.data.corrupt(images, name, severity, seed=3)
        theirs = cifar_c.corrupt(original, images, name, severity, seed=3)
        difference = np.abs(ours.astype(int) - theirs)
        assert difference.max() <= (3 if rounded else 1), severity
        assert rounded or (difference > 0).mean() < 0.05, severity


@pytest.mark.parametrize("severity", [1, 5])
def test_frost_has_the_mean_and_variance_of_photographs(
    severity, original, images
):
    def changes(corrupt):
        # The same seeds choose the same of the photographs and its colour.
        return np.stack(
            [
                corrupt(images, "frost", severity, seed=seed) - 1.0 * images
                for seed in range(10)
            ]
        )

    ours = changes(ij.data.corrupt)
    theirs = changes(functools.partial(cifar_c.corrupt, original))
    np.testing.assert_allclose(ours.mean(), theirs.mean(), rtol=0.05)
    np.testing.assert_allclose(ours.var(), theirs.var(), rtol=0.05)
    within = [each.var((2, 3, 4)).mean() for each in (ours, theirs)]
    np.testing.assert_allclose(*within, rtol=0.05)
