"""Sources against what was written to disk."""

import os

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from ijsat_tf.data import Source, sources

RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(0, 256, (7, 5, 4, 3), np.uint8)
LABELS = np.array([2, 0, 1, 1, 0, 2, 2])


SIZED = tfds.features.Image(shape=(5, 4, 3))
CLASSES = tfds.features.ClassLabel(num_classes=3)


def _write(name, folder, image=SIZED, label=CLASSES):
    pytest.importorskip(
        "importlib_resources", reason="TFDS needs it to write a data set"
    )
    tfds.dataset_builders.store_as_tfds_dataset(
        name,
        version="1.0.0",
        features=tfds.features.FeaturesDict({"image": image, "label": label}),
        split_datasets={
            "train": tf.data.Dataset.from_tensor_slices(
                {"image": PIXELS, "label": LABELS}
            )
        },
        data_dir=folder,
        disable_shuffling=True,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets")
    _write("tiny_set", folder)
    _write("uneven_set", folder, tfds.features.Image(shape=(None, None, 3)))
    _write("value_set", folder, label=np.int64)
    return folder


def test_a_set_on_disk_comes_back_unchanged(folder):
    source = sources.load("tiny_set", "train", data_dir=folder)
    np.testing.assert_array_equal(source.images, PIXELS)
    np.testing.assert_array_equal(source.labels, LABELS)
    assert (source.images.dtype, source.labels.dtype) == (np.uint8, np.int32)
    assert (source.classes, source.bins) == (3, 256)
    assert source.origin == "TensorFlow Datasets: tiny_set/1.0.0"
    assert source.class_names == ("0", "1", "2") and source.latents is None


def test_scaled_images_are_the_levels_in_the_unit_interval(folder):
    source = sources.load("tiny_set", "train", data_dir=folder)
    assert source.scaled().dtype == np.float32
    np.testing.assert_allclose(source.scaled(), PIXELS / 255, rtol=1e-6)


def test_take_and_slices_give_the_first_images(folder):
    source = sources.load("tiny_set", "train", data_dir=folder)
    part = sources.load("tiny_set", "train[:3]", data_dir=folder)
    np.testing.assert_array_equal(source.take(3).images, part.images)
    np.testing.assert_array_equal(source.take(3).labels, part.labels)
    with pytest.raises(ValueError, match="`count` must be from 1 to .* 7"):
        source.take(8)


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


def test_images_of_unknown_size_are_resized(folder):
    with pytest.raises(ValueError, match="pass `image_size`"):
        sources.load("uneven_set", "train", data_dir=folder)
    same = sources.load("uneven_set", "train", folder, image_size=(5, 4))
    np.testing.assert_array_equal(same.images, PIXELS)


def test_resizing_keeps_the_mean_level_up_to_edges_and_rounding():
    pytest.importorskip("sklearn", reason="the digits are in scikit-learn")
    half = sources.load("digits", "test", image_size=4).images
    whole = sources.load("digits", "test").images
    assert half.shape == (360, 4, 4, 1)
    np.testing.assert_allclose(half.mean((1, 2)), whole.mean((1, 2)), atol=1)


def test_what_is_no_image_classification_is_refused(folder):
    with pytest.raises(ValueError, match="no image classification"):
        sources.load("value_set", "train", data_dir=folder)


def test_unknown_names_and_splits_are_named(folder):
    with pytest.raises(ValueError, match="'cifar10'.*Received: 'cifra10'"):
        sources.load("cifra10", "train", data_dir=folder)
    with pytest.raises(ValueError, match="'mnist'.*Received: 'xyzzy'"):
        sources.load("xyzzy", "train", data_dir=folder)
    with pytest.raises(ValueError, match="'tran'"):
        sources.load("tiny_set", "tran", data_dir=folder)
    with pytest.raises(ValueError, match="`split` of the digits"):
        sources.load("digits", "tran")
    with pytest.raises(ValueError, match="`image_size`"):
        sources.load("digits", "train", image_size=0)


def test_a_set_that_is_not_there_says_how_to_build_it(tmp_path):
    with pytest.raises(
        ValueError, match=f"tfds build mnist --data_dir={tmp_path}`"
    ):
        sources.load("mnist", "train", data_dir=tmp_path)


@pytest.mark.parametrize("damage", ["cut", "changed", "gone"])
def test_damaged_records_name_their_folder(tmp_path, damage):
    _write("tiny_set", tmp_path)
    (file,) = tmp_path.rglob("*.tfrecord-*")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 255
    if damage == "cut":
        file.write_bytes(content[: len(content) // 2])
    elif damage == "changed":
        file.write_bytes(content)
    else:
        file.unlink()
    with pytest.raises(ValueError, match=f"in {file.parent} are damaged"):
        sources.load("tiny_set", "train", data_dir=tmp_path)


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


def test_cifar10():
    folder = os.environ.get("IJSAT_DATA_DIR")
    if folder is None:
        pytest.skip("IJSAT_DATA_DIR names no folder of data sets")
    source = sources.load("cifar10", "test", data_dir=folder)
    assert source.images.shape == (10000, 32, 32, 3)
    np.testing.assert_array_equal(np.bincount(source.labels), [1000] * 10)


def test_hold_out_splits_the_last_images_off():
    source = sources.load("digits", "train")
    rest, last = source.hold_out(37)
    assert len(rest.labels) == 1400 and len(last.labels) == 37
    np.testing.assert_array_equal(rest.images, source.images[:1400])
    np.testing.assert_array_equal(last.labels, source.labels[1400:])
    for count in (0, 1437, -1):
        with pytest.raises(ValueError, match="`count`"):
            source.hold_out(count)
