import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.samples import gather
from tests import tiny

IMAGES = tiny.random_images(5)
LABELS = np.array([0, 1, 2, 0, 1])
LATENTS = [np.arange(5.0)[:, None], np.arange(10.0).reshape(5, 2)]


@pytest.mark.parametrize(
    "data",
    [
        (IMAGES, LABELS),
        (tf.constant(IMAGES), tf.constant(LABELS)),
        tf.data.Dataset.from_tensor_slices((IMAGES, LABELS)).batch(2),
    ],
)
def test_forms_of_the_same_data(data):
    images, labels, latents = gather(data)
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(labels, LABELS)
    assert latents is None


@pytest.mark.parametrize("form", [list, tuple])
def test_latents_travel_along(form):
    data = {"image": IMAGES, "latent": form(LATENTS)}, LABELS
    samples = gather(data)
    assert isinstance(samples.latents, list)
    part = samples.rows(2, 4)
    np.testing.assert_array_equal(part.images, IMAGES[2:4])
    np.testing.assert_array_equal(part.labels, LABELS[2:4])
    for one, other in zip(part.latents, LATENTS):
        np.testing.assert_array_equal(one, other[2:4])
    assert len(samples.rows(3, None).labels) == 2


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (IMAGES, "a tuple of images and labels"),
        ((IMAGES * 255, LABELS), "must lie in"),
        ((IMAGES[:0], LABELS[:0]), "at least one image"),
        ((IMAGES, LABELS[:4]), "one entry for each"),
        (({"picture": IMAGES}, LABELS), "'image' and 'latent'"),
        (({"image": IMAGES, "latent": LATENTS[0][:3]}, LABELS), "latents"),
        (tf.data.Dataset.from_tensors(IMAGES), "pairs"),
        (
            tf.data.Dataset.from_tensors((IMAGES, LABELS)).repeat(),
            "must be finite",
        ),
    ],
)
def test_what_is_refused(data, message):
    with pytest.raises(ValueError, match=message):
        gather(data)
