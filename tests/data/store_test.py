"""Sets that were written, read without the code that wrote them."""

import numpy as np
import pytest
import tensorflow_datasets as tfds

from ijsat_tf import data
from ijsat_tf.data import Source
from ijsat_tf.data.store import metadata_of

pytest.importorskip(
    "importlib_resources", reason="TFDS needs it to write a data set"
)

RANDOM = np.random.default_rng(0)
LATENTS = RANDOM.normal(size=(5, 14, 3)).astype("float32")
SOURCE = Source(
    RANDOM.integers(0, 256, (5, 6, 4, 3), np.uint8),
    np.array([1, 0, 2, 1, 1], "int32"),
    classes=3,
    latents=LATENTS,
    class_names=("cat", "dog", "bird"),
)
SEVERAL = [RANDOM.normal(size=(5, n)).astype("float32") for n in range(1, 12)]


def check_same(found, expected):
    np.testing.assert_array_equal(found.images, expected.images)
    np.testing.assert_array_equal(found.labels, expected.labels)
    assert found.class_names == expected.class_names
    if expected.latents is None:
        assert found.latents is None
        return
    several = isinstance(expected.latents, list)
    assert isinstance(found.latents, list) == several
    pairs = zip(found.latents, expected.latents, strict=True)
    for one, other in pairs if several else [(found.latents, expected.latents)]:
        assert one.dtype == np.float32
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("latents", [None, LATENTS, [LATENTS], SEVERAL])
def test_what_is_stored_is_loaded(tmp_path, latents):
    source = SOURCE._replace(latents=latents)
    splits = {"train": source, "test": source.take(2)}
    folder = data.store("a_set", splits, tmp_path)
    assert folder == tmp_path / "a_set"
    check_same(data.load("a_set", "train", tmp_path), source)
    check_same(data.load("a_set", "test", tmp_path), source.take(2))
    check_same(data.load("a_set", "train[:3]", tmp_path), source.take(3))


def test_tensorflow_datasets_reads_it_alone(tmp_path):
    facts = {"steps": 3, "distance": {"name": "LPIPS"}}
    data.store("a_set", {"train": SOURCE}, tmp_path, "Some images.", facts)
    builder = tfds.builder_from_directory(tmp_path / "a_set" / "1.0.0")
    assert builder.info.description == "Some images."
    assert dict(builder.info.metadata) == facts
    assert metadata_of("a_set", tmp_path) == facts
    assert builder.info.features["label"].names == ["cat", "dog", "bird"]
    rows = tfds.load("a_set", data_dir=tmp_path, split="train")
    for place, row in enumerate(tfds.as_numpy(rows)):
        np.testing.assert_array_equal(row["image"], SOURCE.images[place])
        np.testing.assert_array_equal(row["latent"], LATENTS[place])
        assert row["label"] == SOURCE.labels[place]


def test_fewer_grey_levels_are_stretched(tmp_path):
    levels = np.arange(16, dtype=np.uint8).reshape(1, 4, 4, 1)
    source = Source(levels, np.zeros(1, "int32"), classes=2, bins=16)
    data.store("greys", {"train": source}, tmp_path)
    found = data.load("greys", "train", tmp_path)
    np.testing.assert_array_equal(found.images, 17 * levels)
    np.testing.assert_allclose(found.scaled(), source.scaled(), rtol=1e-6)


def test_resized_images_have_no_latents(tmp_path):
    data.store("a_set", {"train": SOURCE}, tmp_path)
    small = data.load("a_set", "train", tmp_path, image_size=2)
    assert small.images.shape == (5, 2, 2, 3) and small.latents is None
    same = data.load("a_set", "train", tmp_path, image_size=(6, 4))
    check_same(same, SOURCE)


@pytest.mark.parametrize(
    "name", ["cifar10", "digits", "OM", "om-cifar", "../x"]
)
def test_names_that_mean_something_else_are_refused(tmp_path, name):
    with pytest.raises(ValueError, match="`name` must"):
        data.store(name, {"train": SOURCE}, tmp_path)
    assert not any(tmp_path.iterdir())


def test_a_name_that_is_taken_is_refused(tmp_path):
    (tmp_path / "a_set" / "incomplete.XYZ_1.0.0").mkdir(parents=True)
    data.store("a_set", {"train": SOURCE}, tmp_path)
    with pytest.raises(ValueError, match="a_set holds something already"):
        data.store("a_set", {"train": SOURCE.take(1)}, tmp_path)
    check_same(data.load("a_set", "train", tmp_path), SOURCE)
    (tmp_path / "notes").write_text("mine")
    with pytest.raises(ValueError, match="notes holds something already"):
        data.store("notes", {"train": SOURCE}, tmp_path)


@pytest.mark.parametrize(
    "other",
    [
        SOURCE._replace(latents=None),
        SOURCE._replace(latents=LATENTS[:, :2]),
        SOURCE._replace(classes=4),
        SOURCE._replace(images=SOURCE.images[:, :5]),
    ],
)
def test_sources_must_be_alike(tmp_path, other):
    with pytest.raises(ValueError, match="`sources` must be at least one set"):
        data.store("a_set", {"train": SOURCE, "test": other}, tmp_path)


def test_images_that_png_cannot_hold_are_refused(tmp_path):
    pairs = SOURCE._replace(images=SOURCE.images[..., :2])
    with pytest.raises(ValueError, match="stored as PNG.*2"):
        data.store("a_set", {"train": pairs}, tmp_path)
