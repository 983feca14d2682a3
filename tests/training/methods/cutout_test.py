import collections

import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf.samples import Batch
from ijsat_tf.training import methods
from tests import reference, tiny

SEED = tf.constant([1, 2])
MEAN = (0.4914, 0.4822, 0.4465)


def cut(method, images, seed=SEED):
    batch = Batch(tf.constant(images), tf.one_hot([0] * len(images), 3))
    return method.mixture(batch, seed).images.numpy()


@pytest.mark.parametrize(("height", "width"), [(5, 8), (9, 6)])
@pytest.mark.parametrize("length", [1, 3, 4])
def test_every_centre_is_equally_likely(height, width, length):
    """Against all squares that there are, each painted by loops."""
    possible = {}
    for y in range(height):
        for x in range(width):
            mask = np.zeros((height, width), bool)
            for row in range(y - length // 2, y - length // 2 + length):
                for column in range(x - length // 2, x - length // 2 + length):
                    if 0 <= row < height and 0 <= column < width:
                        mask[row, column] = True
            possible[mask.tobytes()] = (y, x)
    assert len(possible) == height * width
    images = np.ones((100 * height * width, height, width, 1), "float32")
    found = cut(methods.Cutout(length, fill=0.0), images)[..., 0] == 0
    counts = collections.Counter(mask.tobytes() for mask in found)
    assert set(counts) == set(possible)
    # 100 draws a place, of deviation 10.
    assert min(counts.values()) > 50 and max(counts.values()) < 150


def test_the_square_is_zero_after_normalisation():
    images = tiny.random_images(8, (32, 32, 3))
    deviation = np.array([0.2023, 0.1994, 0.2010])
    found = cut(methods.Cutout(fill=MEAN), images)
    square = (found != images).all(axis=-1)
    assert 64 <= square.sum(axis=(1, 2)).min()
    assert square.sum(axis=(1, 2)).max() == 256
    normalised = (found - np.float32(MEAN)) / deviation
    np.testing.assert_array_equal(normalised[square], 0)
    np.testing.assert_array_equal(found[~square], images[~square])
    # The official code has another mean, of the same images.
    default = cut(methods.Cutout(), images)[square]
    np.testing.assert_allclose(default, default[:1].repeat(len(default), 0))
    np.testing.assert_allclose(default[0], MEAN, atol=3e-4)


def test_loss_by_numpy(batch, classifier):
    method = methods.Cutout(4, fill=(0.1, 0.9))
    mixture = method.mixture(batch, SEED)
    changed = (mixture.images != batch.images).numpy().all(axis=3)
    assert changed.any(axis=(1, 2)).all()
    np.testing.assert_allclose(
        mixture.images.numpy()[changed], np.tile([0.1, 0.9], [changed.sum(), 1])
    )
    assert mixture.labels is batch.labels
    (logits,) = reference.trained(classifier, mixture.images)
    crafted = method.craft(classifier, mixture, SEED)
    losses, *_ = method.loss(classifier, mixture, crafted)
    expected = reference.cross_entropy(batch.labels, logits)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


def test_fill_and_images_must_fit(images, labels, classifier):
    model = ij.training.AdversarialModel(classifier, methods.Cutout())
    model.compile(optimizer="sgd")
    with pytest.raises(ValueError, match="`fill` of Cutout must be one number"):
        model.fit(images, labels, verbose=0)
