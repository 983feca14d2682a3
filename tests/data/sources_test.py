"""Sources against their arrays, and digits against scikit-learn."""

import numpy as np
import pytest

from ijsat_tf.data import Source, sources

RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(0, 256, (7, 5, 4, 3), np.uint8)
LABELS = np.array([2, 0, 1, 1, 0, 2, 2])
SOURCE = Source(PIXELS, LABELS, 3)


def test_scaled_images_are_the_levels_in_the_unit_interval():
    assert SOURCE.scaled().dtype == np.float32
    np.testing.assert_allclose(SOURCE.scaled(), PIXELS / 255, rtol=1e-6)


def test_take_gives_the_first_images():
    np.testing.assert_array_equal(SOURCE.take(3).images, PIXELS[:3])
    np.testing.assert_array_equal(SOURCE.take(3).labels, LABELS[:3])
    with pytest.raises(ValueError, match="`count` must be from 1 to .* 7"):
        SOURCE.take(8)


def test_latents_are_cut_along_with_images():
    latents = [RANDOM.random((7, 3)), RANDOM.random((7, 2, 2))]
    source = Source(PIXELS, LABELS, 3, latents=latents)
    for part, rows in zip(source.take(4).latents, latents):
        np.testing.assert_array_equal(part, rows[:4])
    rest, last = source.hold_out(2)
    np.testing.assert_array_equal(rest.latents[1], latents[1][:5])
    np.testing.assert_array_equal(last.latents[1], latents[1][5:])
    assert source.inputs()["latent"] is latents
    np.testing.assert_array_equal(source.inputs()["image"], source.scaled())
    bare = source._replace(latents=None)
    np.testing.assert_array_equal(bare.inputs(), source.scaled())


def test_resizing_keeps_the_mean_level_up_to_edges_and_rounding():
    pytest.importorskip("sklearn", reason="the digits are in scikit-learn")
    half = sources.load("digits", "test", image_size=4).images
    whole = sources.load("digits", "test").images
    assert half.shape == (360, 4, 4, 1)
    np.testing.assert_allclose(half.mean((1, 2)), whole.mean((1, 2)), atol=1)


def test_unknown_names_splits_and_sizes_are_named(tmp_path):
    with pytest.raises(ValueError, match="'digits'.*Received: 'digts'"):
        sources.load("digts", "train", data_dir=tmp_path)
    with pytest.raises(ValueError, match="`split` of the digits"):
        sources.load("digits", "tran")
    with pytest.raises(ValueError, match="`image_size`"):
        sources.load("digits", "train", image_size=0)


# The last numbers of numpy.random.RandomState(0).permutation(1797).
LAST = [1383, 1731, 763, 835, 1216, 1653, 559, 684]


def test_digits_are_split_once():
    digits = pytest.importorskip("sklearn.datasets").load_digits()
    train = sources.load("digits", "train")
    test = sources.load("digits", "test")
    assert train.images.shape == (1437, 8, 8, 1)
    assert test.images.shape == (360, 8, 8, 1)
    assert (train.classes, train.bins) == (10, 17)
    np.testing.assert_array_equal(
        test.scaled()[-8:, ..., 0] * 16, digits.images[LAST]
    )
    np.testing.assert_array_equal(test.labels[-8:], digits.target[LAST])
    levels = np.concatenate([train.images, test.images]).reshape(-1, 64)
    np.testing.assert_array_equal(np.sort(levels, 0), np.sort(digits.data, 0))


def test_hold_out_splits_the_last_images_off():
    source = sources.load("digits", "train")
    rest, last = source.hold_out(37)
    assert len(rest.labels) == 1400 and len(last.labels) == 37
    np.testing.assert_array_equal(rest.images, source.images[:1400])
    np.testing.assert_array_equal(last.labels, source.labels[1400:])
    for count in (0, 1437, -1):
        with pytest.raises(ValueError, match="`count`"):
            source.hold_out(count)
