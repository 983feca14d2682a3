"""Corruptions: the original's images, and whose random numbers are whose."""

import sys

import numpy as np
import pytest

import ijsat_tf as ij
from ijsat_tf.data import corruptions
from tests.golden import make_corruptions

pytest.importorskip("scipy", reason="SciPy is not installed")
CORRUPTIONS = corruptions.CORRUPTIONS
DRAWN = make_corruptions.drawn()
RANDOM = (
    "gaussian_noise shot_noise impulse_noise glass_blur motion_blur snow frost "
    "fog elastic_transform"
).split()


@pytest.fixture(scope="module")
def golden():
    with np.load(make_corruptions.PATH) as arrays:
        return dict(arrays)


@pytest.mark.parametrize(
    "name", [name for name in CORRUPTIONS if name != "frost"]
)
@pytest.mark.parametrize("place, severity", enumerate((2, 5)))
def test_the_originals_images(name, place, severity, golden):
    images = golden["images"][place:][:1]
    ours = ij.data.corrupt(images, name, severity, first=place)[0]
    theirs = golden[f"{name}_{severity}"]
    assert np.abs(ours.astype(int) - theirs).max() <= 1
    assert np.abs(theirs.astype(int) - images[0]).max() > 10


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_parts_equal_the_whole(name):
    images = np.concatenate([DRAWN, DRAWN[:, ::-1]])
    whole = ij.data.corrupt(images, name, 4, seed=7)
    part = ij.data.corrupt(images[1:3], name, 4, seed=7, first=1)
    np.testing.assert_array_equal(part, whole[1:3])
    assert (whole.shape, whole.dtype) == (images.shape, np.uint8)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_seeds_and_places_matter_where_there_is_chance(name):
    images = np.repeat(DRAWN[:1], 2, axis=0)
    first = ij.data.corrupt(images, name, 3)
    second = ij.data.corrupt(images, name, 3, seed=1)
    assert (first != second).any() == (name in RANDOM)
    assert (first[0] != first[1]).any() == (name in RANDOM)


@pytest.mark.parametrize("name", CORRUPTIONS)
@pytest.mark.parametrize("shape", [(8, 8, 1), (28, 28, 1), (20, 41, 3)])
def test_other_sizes_and_grey_images(name, shape):
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (2, *shape), np.uint8)
    for severity in (3, 5):
        changed = ij.data.corrupt(images, name, severity)
        assert changed.shape == images.shape
        assert (changed != images).any()


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in CORRUPTIONS
        if name not in RANDOM[:3] + ["frost", "jpeg_compression"]
    ],
)
def test_grey_images_are_a_channel_of_the_same_in_colour(name):
    grey = DRAWN[..., :1]
    coloured = ij.data.corrupt(np.repeat(grey, 3, axis=-1), name, 3)
    difference = ij.data.corrupt(grey, name, 3) - coloured.astype(int)
    # The weights of the three colours have the sum 1 up to rounding.
    assert np.abs(difference).max() <= 1


def test_digits_are_spread_over_256_levels():
    pytest.importorskip("sklearn", reason="the digits are in scikit-learn")
    digits = ij.data.load("digits", "test").take(9)
    changed = corruptions.corrupted(digits, "contrast", 1, seed=5)
    assert (changed.bins, changed.classes) == (256, 10)
    np.testing.assert_array_equal(changed.labels, digits.labels)
    x = digits.scaled()
    mean = x.mean((1, 2), keepdims=True)
    expected = mean + 0.75 * (x - mean)
    np.testing.assert_allclose(changed.scaled(), expected, atol=1.6 / 255)
    assert changed.origin == "made here: contrast 1 seed 5 of digits"
    assert changed.take(2).origin == changed.origin
    of_latents = digits._replace(latents=x)
    assert corruptions.corrupted(of_latents, "contrast", 1).latents is None


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="`name` must be one of gauss.*'fogg'"):
        ij.data.corrupt(DRAWN, "fogg", 1)
    for severity in (0, 6, 1.5):
        with pytest.raises(ValueError, match="`severity`"):
            ij.data.corrupt(DRAWN, "fog", severity)
    with pytest.raises(ValueError, match="`images` must be uint8.*float64"):
        ij.data.corrupt(DRAWN / 255, "fog", 1)
    for shape in [(32, 32, 3), (1, 64, 32, 3), (1, 32, 4, 3), (1, 32, 32, 2)]:
        with pytest.raises(ValueError, match="ImageNet-C"):
            ij.data.corrupt(np.zeros(shape, np.uint8), "fog", 1)
    with pytest.raises(ValueError, match="`seed`"):
        ij.data.corrupt(DRAWN, "fog", 1, seed=-1)
    with pytest.raises(ValueError, match="`first`"):
        ij.data.corrupt(DRAWN, "fog", 1, first=0.5)


def test_missing_libraries_are_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy", None)
    monkeypatch.delitem(
        sys.modules, "ijsat_tf.data.corruptions.blur", raising=False
    )
    with pytest.raises(ImportError, match=r"'ijsat_tf\[corruptions\]'"):
        ij.data.corrupt(DRAWN, "glass_blur", 1)
