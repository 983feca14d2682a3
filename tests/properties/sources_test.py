"""Sources: no image is lost or seen twice; what is no source is refused."""

import numpy as np
import pytest

pytest.importorskip("hypothesis", reason="hypothesis is not installed")

from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

import ijsat_tf as ij  # noqa: E402
from tests.properties import drawing  # noqa: E402


@st.composite
def sources(draw):
    """Images that all differ, as their labels say which one each is."""
    count = draw(st.integers(2, 40))
    shape = draw(st.sampled_from([(1, 1, 1), (2, 3, 3), (4, 4, 2)]))
    bins = draw(st.sampled_from([64, 256]))
    places = np.arange(count)
    images = np.broadcast_to(places[:, None, None, None], (count, *shape))
    latents = draw(st.sampled_from([None, "tensor", "list"]))
    if latents:
        latents = places[:, np.newaxis].astype("float32")
        latents = draw(st.sampled_from([latents, [latents, 2 * latents]]))
    return ij.data.Source(
        images.astype("uint8"), places.astype("int32"), count, bins, latents
    )


def agree(source):
    """That each image, label and latent is of one sample."""
    np.testing.assert_array_equal(source.images[:, 0, 0, 0], source.labels)
    latents = source.latents
    for part in latents if isinstance(latents, list) else [latents]:
        if part is not None:
            factor = 1 if part is latents or part is latents[0] else 2
            np.testing.assert_array_equal(part[:, 0], factor * source.labels)


@drawing.quick
@given(sources(), st.integers(-2, 42))
def test_rows_are_parted_or_refused(source, count):
    whole = len(source.labels)
    if not 0 < count <= whole:
        with pytest.raises(ValueError, match="`count` .* Received: "):
            source.take(count)
    else:
        agree(source.take(count))
        np.testing.assert_array_equal(source.take(count).labels, range(count))
    if not 0 < count < whole:
        with pytest.raises(ValueError, match="`count` .* Received: "):
            source.hold_out(count)
        return
    rest, held = source.hold_out(count)
    for part in (rest, held):
        agree(part)
    assert len(held.labels) == count
    np.testing.assert_array_equal([*rest.labels, *held.labels], range(whole))


@drawing.quick
@given(sources(), st.integers(0, 42), drawing.seeds, st.integers(0, 3))
def test_an_epoch_has_each_image_once(source, size, seed, epoch):
    whole = len(source.labels)
    if not 1 <= size <= whole:
        with pytest.raises(ValueError, match="`batch_size` .* Received: "):
            ij.data.batches(source, size, seed)
        return
    steps = ij.data.steps_per_epoch(source, size)
    batches = ij.data.batches(source, size, seed, first_epoch=epoch)
    seen = []
    for x, labels in batches.take(steps).as_numpy_iterator():
        images = x["image"] if isinstance(x, dict) else x
        assert images.dtype == np.float32 and len(labels) == size
        np.testing.assert_allclose(
            images[:, 0, 0, 0] * (source.bins - 1), labels, rtol=1e-6
        )
        if isinstance(x, dict):
            for factor, part in enumerate(np.atleast_3d(x["latent"]).T, 1):
                assert part.size and factor
        seen += [*labels]
    assert len(seen) == steps * size == len({*seen})
    if whole % size == 0:
        assert {*seen} == {*range(whole)}


IMAGES = np.zeros((4, 2, 2, 1), "uint8")
LABELS = np.array([0, 1, 1, 0], "int32")


@drawing.quick
@given(
    st.lists(st.integers(0, 4), max_size=5),
    st.sampled_from("uint8 int32 float32 float64 bool str".split()),
)
def test_images_that_are_no_grey_levels_are_refused(shape, dtype):
    images = np.zeros(shape, dtype)
    if len(shape) == 4 and shape[0] == 4 and dtype in ("uint8", "int32"):
        ij.data.Source(images, LABELS, 2)
        return
    with pytest.raises(ValueError, match="`images` .* Received: "):
        ij.data.Source(images, LABELS, 2)


@drawing.quick
@given(
    st.lists(st.integers(0, 5), max_size=2),
    st.sampled_from("uint8 int32 int64 float32 bool str".split()),
    st.integers(-2, 3),
)
def test_labels_that_are_no_classes_are_refused(shape, dtype, value):
    labels = np.full(shape, abs(value) if dtype == "uint8" else value, dtype)
    fits = dtype != "str" and np.isin(labels.astype("float64"), range(2)).all()
    if shape in ([4], [4, 1]) and fits:
        ij.data.Source(IMAGES, labels, 2)
        return
    with pytest.raises(ValueError, match="`labels` .* Received: "):
        ij.data.Source(IMAGES, labels, 2)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("classes", 0),
        ("classes", 2.5),
        ("bins", 1),
        ("bins", "256"),
        ("latents", np.zeros((3, 2), "float32")),
        ("latents", [np.zeros((4, 2), "float32"), np.zeros(5, "float32")]),
        ("class_names", ("cat",)),
    ],
)
def test_other_settings_that_do_not_fit_are_refused(name, value):
    settings = {"classes": 2, name: value}
    with pytest.raises(ValueError, match=f"`{name}` .* Received: "):
        ij.data.Source(IMAGES, LABELS, **settings)


def test_grey_levels_beyond_the_bins_are_refused():
    images = np.full_like(IMAGES, 17)
    with pytest.raises(ValueError, match="`images` .* 16.* Received: "):
        ij.data.Source(images, LABELS, 2, bins=17)
