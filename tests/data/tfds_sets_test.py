"""Sets in TensorFlow Datasets' format against what was written to disk."""

import os

import numpy as np
import pytest
import tensorflow_datasets as tfds

from ijsat_tf.data import tfds_sets

RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(0, 256, (7, 5, 4, 3), np.uint8)
LABELS = np.array([2, 0, 1, 1, 0, 2, 2])
SIZED = tfds.features.Image(shape=(5, 4, 3))
CLASSES = tfds.features.ClassLabel(num_classes=3)


def _write(name, folder, image=SIZED, label=CLASSES, labels=LABELS, **more):
    """Writes a set; each of `more` is a feature and its value in all rows."""
    pytest.importorskip(
        "importlib_resources", reason="TFDS needs it to write a data set"
    )
    features = {key: feature for key, (feature, _) in more.items()}
    values = {key: value for key, (_, value) in more.items()}
    rows = [
        {"image": pixels.astype(image.np_dtype), "label": number, **values}
        for pixels, number in zip(PIXELS, labels)
    ]
    tfds.dataset_builders.store_as_tfds_dataset(
        name,
        version="1.0.0",
        features=tfds.features.FeaturesDict(
            {"image": image, "label": label, **features}
        ),
        split_datasets={"train": list(enumerate(rows))},
        data_dir=folder,
        disable_shuffling=True,
    )


def read(name, folder, split="train", image_size=None):
    return tfds_sets.read(name, split, folder, image_size)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets")
    _write("tiny_set", folder)
    _write("uneven_set", folder, tfds.features.Image(shape=(None, None, 3)))
    return folder


def test_a_set_on_disk_comes_back_unchanged(folder):
    source = read("tiny_set", folder)
    np.testing.assert_array_equal(source.images, PIXELS)
    np.testing.assert_array_equal(source.labels, LABELS)
    assert (source.images.dtype, source.labels.dtype) == (np.uint8, np.int32)
    assert (source.classes, source.bins) == (3, 256)
    assert source.origin == "TensorFlow Datasets: tiny_set/1.0.0"
    assert source.class_names == ("0", "1", "2") and source.latents is None


def test_a_slice_is_a_part_of_the_set(folder):
    part = read("tiny_set", folder, "train[2:5]")
    np.testing.assert_array_equal(part.images, PIXELS[2:5])
    np.testing.assert_array_equal(part.labels, LABELS[2:5])


def test_images_of_unknown_size_are_resized(folder):
    with pytest.raises(ValueError, match="pass `image_size`"):
        read("uneven_set", folder)
    same = read("uneven_set", folder, image_size=(5, 4))
    np.testing.assert_array_equal(same.images, PIXELS)


def test_latents_of_another_kind_are_no_latents(tmp_path):
    _write("texts", tmp_path, latent=(tfds.features.Text(), "z"))
    assert read("texts", tmp_path).latents is None
    integers = tfds.features.Tensor(shape=(2,), dtype=np.int8)
    _write("integers", tmp_path, latent=(integers, np.ones(2, np.int8)))
    assert read("integers", tmp_path).latents is None


@pytest.mark.parametrize(
    "settings",
    [
        {"label": np.int64},
        {"image": tfds.features.Image(shape=(5, 4, 3), dtype=np.uint16)},
        {"image": tfds.features.Tensor(shape=(5, 4, 3), dtype=np.uint8)},
    ],
    ids=["values", "16 bits", "tensors"],
)
def test_what_is_no_image_classification_is_refused(tmp_path, settings):
    _write("other_set", tmp_path, **settings)
    with pytest.raises(
        ValueError, match="must be an image classif.*features image, label"
    ):
        read("other_set", tmp_path)


def test_a_split_without_labels_is_refused(tmp_path):
    _write("secret_set", tmp_path, labels=[-1] * 7)
    with pytest.raises(
        ValueError, match="must have labels, and 'train' has none"
    ):
        read("secret_set", tmp_path)


def test_unknown_names_and_splits_are_named(folder):
    with pytest.raises(ValueError, match="'cifar10'.*Received: 'cifra10'"):
        read("cifra10", folder)
    with pytest.raises(ValueError, match="'mnist'.*Received: 'xyzzy'"):
        read("xyzzy", folder)
    with pytest.raises(
        ValueError, match="mean 'tiny_set'.*Received: 'tinyset'"
    ):
        read("tinyset", folder)
    with pytest.raises(
        ValueError, match="must be one of train.*Received: 'tran'"
    ):
        read("tiny_set", folder, "tran")


@pytest.mark.parametrize(
    "name", ["kaggle:tiny_set", "../tiny_set", "/tiny_set", "tiny set", ""]
)
def test_names_that_would_lead_elsewhere_are_refused(folder, name):
    with pytest.raises(ValueError, match="NAME/CONFIG or NAME:VERSION"):
        read(name, folder)


def test_a_set_that_is_not_there_says_how_to_build_it(tmp_path):
    with pytest.raises(
        ValueError, match=f"tfds build mnist --data_dir={tmp_path}`"
    ):
        read("mnist", tmp_path)


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
        read("tiny_set", tmp_path)


def test_cifar10():
    folder = os.environ.get("IJSAT_DATA_DIR")
    if folder is None:
        pytest.skip("IJSAT_DATA_DIR names no folder of data sets")
    source = read("cifar10", folder, "test")
    assert source.images.shape == (10000, 32, 32, 3)
    np.testing.assert_array_equal(np.bincount(source.labels), [1000] * 10)
