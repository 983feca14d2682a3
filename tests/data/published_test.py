"""The published arrays: what is read, and what is refused."""

import numpy as np
import pytest
import tensorflow_datasets as tfds

import ijsat_tf as ij
from ijsat_tf.data import CORRUPTIONS, load_corrupted, published

SHAPE = 50_000, 32, 32, 3
LABELS = np.arange(10_000) % 10


def write(path, shape=SHAPE, dtype="uint8"):
    """An array of zeros that takes no room on most disks, and one pixel."""
    array = np.lib.format.open_memmap(path, "w+", dtype, shape)
    array[(20_000,) + (0,) * (len(shape) - 1)] = 7
    array.flush()


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "fog.npy")
    np.save(tmp_path / "labels.npy", np.tile(LABELS, 5).astype(np.uint8))
    return tmp_path


def test_severities_follow_each_other(folder):
    source = ij.data.load_corrupted(folder, "fog", 3)
    assert source.images.shape == (10_000, 32, 32, 3)
    assert source.images.dtype == np.uint8
    assert source.images[0, 0, 0, 0] == 7 and source.images.sum() == 7
    assert ij.data.load_corrupted(folder, "fog", 2).images.sum() == 0
    np.testing.assert_array_equal(source.labels, LABELS)
    assert (source.labels.dtype, source.classes) == (np.int32, 10)
    assert source.origin == "published arrays: fog 3"


def test_unknown_cells_are_refused(folder):
    with pytest.raises(ValueError, match="`name` must be one of"):
        ij.data.load_corrupted(folder, "../fog", 3)
    with pytest.raises(ValueError, match="`severity`"):
        ij.data.load_corrupted(folder, "fog", 0)


def test_files_that_are_missing_are_named(folder):
    with pytest.raises(ValueError, match="snow.npy is missing"):
        ij.data.load_corrupted(folder, "snow", 1)
    (folder / "labels.npy").unlink()
    with pytest.raises(ValueError, match="labels.npy is missing"):
        ij.data.load_corrupted(folder, "fog", 1)


@pytest.mark.parametrize("kept", [0, 3, 60, 200, 10**8])
def test_truncated_files_are_named(folder, kept):
    with open(folder / "fog.npy", "r+b") as file:
        file.truncate(kept)
    with pytest.raises(ValueError, match="fog.npy is truncated"):
        ij.data.load_corrupted(folder, "fog", 1)


def test_other_shapes_types_and_contents_are_named(folder):
    with pytest.raises(ValueError, match="classes from 0 to 8"):
        ij.data.load_corrupted(folder, "fog", 1, classes=9)
    write(folder / "fog.npy", (50_000, 32, 32))
    with pytest.raises(ValueError, match="fog.npy must .*uint8, shape"):
        ij.data.load_corrupted(folder, "fog", 1)
    write(folder / "fog.npy", dtype="int8")
    with pytest.raises(ValueError, match="fog.npy must .*Received: int8"):
        ij.data.load_corrupted(folder, "fog", 1)
    with open(folder / "fog.npy", "wb") as file:
        np.savez(file, images=LABELS)
    with pytest.raises(ValueError, match="fog.npy must be an array"):
        ij.data.load_corrupted(folder, "fog", 1)
    np.save(folder / "fog.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(ValueError, match="not a NumPy array of numbers"):
        ij.data.load_corrupted(folder, "fog", 1)
    write(folder / "fog.npy")
    np.save(folder / "labels.npy", np.arange(50_000))
    with pytest.raises(ValueError, match="the same labels"):
        ij.data.load_corrupted(folder, "fog", 1)


def test_those_of_tensorflow_datasets(monkeypatch):
    asked = []
    monkeypatch.setattr(published, "load", lambda *given: asked.append(given))
    for name in CORRUPTIONS:
        for severity in range(1, 6):
            load_corrupted(None, name, severity, images=7, data_dir="here")
    configs = tfds.builder_cls("cifar10_corrupted").BUILDER_CONFIGS
    named = {f"cifar10_corrupted/{each.name}" for each in configs}
    assert len(set(asked)) == 75 and {name for name, *_ in asked} <= named
    assert {given[1:] for given in asked} == {("test[:7]", "here")}
    with pytest.raises(ValueError, match="only CIFAR-10 corrupted"):
        load_corrupted(None, "fog", 1, classes=100)


@pytest.mark.parametrize("images", [0, 10_001])
def test_other_numbers_of_images_are_refused(images, folder):
    with pytest.raises(ValueError, match="`images` must be from 1 to 10,000"):
        load_corrupted(folder, "fog", 1, images=images)
