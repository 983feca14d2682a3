"""Batches against enumerations in NumPy."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from ijsat_tf.data import pipeline
from ijsat_tf.data.source import Source

COUNT = 22
RANDOM = np.random.default_rng(0)
# The label of an image is its place in the source.
SOURCE = Source(
    RANDOM.integers(0, 256, (COUNT, 6, 5, 3), np.uint8),
    np.arange(COUNT, dtype=np.int32),
    classes=COUNT,
)


def _epoch(seed=0, epoch=0, augment=None, batch_size=4, source=SOURCE):
    data = pipeline.batches(source, batch_size, seed, epoch, augment)
    steps = pipeline.steps_per_epoch(source, batch_size)
    images, labels = zip(*data.take(steps).as_numpy_iterator(), strict=True)
    return np.concatenate(images), np.concatenate(labels)


def test_batches_are_images_in_the_unit_interval_and_their_labels():
    images, labels = _epoch()
    assert (images.dtype, labels.dtype) == (np.float32, np.int32)
    np.testing.assert_allclose(images, SOURCE.images[labels] / 255, rtol=1e-6)


def test_batches_equal_the_scaled_source_bit_by_bit():
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    for bins in (256, 17, 200):
        source = Source(np.minimum(levels, bins - 1), np.zeros(1, int), 1, bins)
        images, _ = _epoch(source=source, batch_size=1)
        np.testing.assert_array_equal(images, source.scaled())


def test_the_shapes_of_batches_are_known_before_they_come():
    spec = pipeline.batches(SOURCE, 4, seed=0, augment="crop_flip")
    images, labels = spec.element_spec
    assert (images.shape, labels.shape) == ((4, 6, 5, 3), (4,))


def test_an_epoch_has_each_image_once_without_the_remainder():
    _, labels = _epoch()
    assert len(labels) == len(set(labels)) == 20


def test_the_order_is_a_function_of_seed_and_epoch():
    _, order = _epoch(seed=3, epoch=2)
    np.testing.assert_array_equal(order, _epoch(seed=3, epoch=2)[1])
    np.testing.assert_array_equal(order, _epoch(3, 2, "crop_flip")[1])
    np.testing.assert_array_equal(order[:18], _epoch(3, 2, None, 9)[1])
    assert not np.array_equal(order, _epoch(seed=3, epoch=1)[1])
    assert not np.array_equal(order, _epoch(seed=2, epoch=2)[1])


@pytest.mark.parametrize("augment", [None, "crop_flip", "flip"])
@pytest.mark.parametrize("step", [0, 1, 4])
def test_a_resumed_run_equals_an_uninterrupted_one(augment, step):
    run = pipeline.batches(SOURCE, 4, seed=1, augment=augment)
    resumed = pipeline.batches(SOURCE, 4, 1, 2, augment, first_step=step)
    later = run.skip(10 + step).take(8).as_numpy_iterator()
    for expected, got in zip(later, resumed.as_numpy_iterator(), strict=False):
        np.testing.assert_array_equal(got[0], expected[0])
        np.testing.assert_array_equal(got[1], expected[1])


def test_every_augmented_image_is_a_crop_or_a_mirrored_crop():
    padded = np.pad(SOURCE.images, [(0, 0), (4, 4), (4, 4), (0, 0)])
    # (N, top, left, C, H, W)
    crops = sliding_window_view(padded, (6, 5), axis=(1, 2))
    seen = np.zeros((9, 9, 2), int)
    data = pipeline.batches(SOURCE, 4, seed=0, augment="crop_flip")
    for images, labels in data.take(600).as_numpy_iterator():
        levels = np.rint(images * 255).transpose(0, 3, 1, 2)
        for image, label in zip(levels, labels, strict=True):
            found = [
                (crops[label] == candidate).all((2, 3, 4))
                for candidate in (image, image[..., ::-1])
            ]
            assert np.sum(found) == 1
            seen += np.stack(found, axis=-1)
    # 2,400 draws from 162 crops: 14.8 of each, on average.
    assert seen.min() > 0
    assert 0.45 < seen[..., 1].mean() / seen.sum(-1).mean() < 0.55


def test_flip_mirrors_half_of_the_images_and_crops_none():
    data = pipeline.batches(SOURCE, 4, seed=0, augment="flip")
    mirrored = []
    for images, labels in data.take(200).as_numpy_iterator():
        levels = np.rint(images * 255)
        for image, label in zip(levels, labels, strict=True):
            mirrored.append(
                np.array_equal(image[:, ::-1], SOURCE.images[label])
            )
            assert mirrored[-1] or np.array_equal(image, SOURCE.images[label])
    assert 0.45 < np.mean(mirrored) < 0.55


LATENTS = RANDOM.random((COUNT, 2, 3)).astype("float32")


@pytest.mark.parametrize("several", [False, True])
def test_latents_travel_with_their_images(several):
    latents = [LATENTS, LATENTS[:, 0]] if several else LATENTS
    source = SOURCE._replace(latents=latents)
    for x, labels in pipeline.batches(source, 4, seed=0).take(6):
        expected = source.scaled()[labels]
        np.testing.assert_array_equal(x["image"], expected)
        found = x["latent"] if several else (x["latent"],)
        for part, rows in zip(found, (LATENTS, LATENTS[:, 0])):
            np.testing.assert_array_equal(part, rows[labels])


def test_placements_say_what_was_done_to_each_image():
    source = SOURCE._replace(latents=LATENTS)
    plain = pipeline.batches(SOURCE, 4, seed=0, augment="crop_flip")
    data = pipeline.batches(source, 4, seed=0, augment="crop_flip")
    padded = np.pad(source.scaled(), [(0, 0), (4, 4), (4, 4), (0, 0)])
    for (x, labels), (images, _) in zip(data.take(20), plain.take(20)):
        np.testing.assert_array_equal(x["image"], images)
        latent, placement = x["latent"]
        np.testing.assert_array_equal(latent, LATENTS[labels])
        for image, label, place in zip(x["image"], labels, placement):
            row, column, mirrored = place.numpy()
            crop = padded[label, row : row + 6, column : column + 5]
            expected = crop[:, ::-1] if mirrored else crop
            np.testing.assert_array_equal(image, expected)


def test_steps_per_epoch_are_full_batches():
    assert pipeline.steps_per_epoch(SOURCE, 4) == 5
    assert pipeline.steps_per_epoch(SOURCE, COUNT) == 1


@pytest.mark.parametrize("batch_size", [0, COUNT + 1])
def test_a_batch_that_does_not_fit_is_refused(batch_size):
    with pytest.raises(ValueError, match=f"{COUNT} images.*{batch_size}$"):
        pipeline.batches(SOURCE, batch_size, seed=0)


@pytest.mark.parametrize("step", [-1, 5])
def test_a_step_that_no_epoch_has_is_refused(step):
    with pytest.raises(ValueError, match=f"from 0 to 4, .* 5 steps.*{step}$"):
        pipeline.batches(SOURCE, 4, seed=0, first_step=step)


def test_an_unknown_augmentation_is_refused():
    with pytest.raises(ValueError, match="'flip' or None.*True"):
        pipeline.batches(SOURCE, 4, seed=0, augment=True)
