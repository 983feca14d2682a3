import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf.training import methods
from tests import reference, tiny

SEED = tf.constant([1, 2])


def distances(latents, others):
    squares = [
        np.sum(np.square(one - other), axis=(1, 2, 3))
        for one, other in zip(latents, others)
    ]
    return np.sqrt(np.sum(squares, axis=0))


def test_loss_by_numpy(batch, classifier, flow):
    method = methods.RandomizedLA(flow, radius=1.0)
    crafted = method.craft(classifier, batch, SEED)
    (logits,) = reference.trained(classifier, crafted)
    expected = reference.cross_entropy(batch.labels, logits)
    losses, labels, _ = method.loss(classifier, batch, crafted)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    assert labels is batch.labels


def test_every_sample_moves_by_the_radius(batch, classifier, flow):
    crafted = methods.RandomizedLA(flow, 0.5).craft(classifier, batch, SEED)
    # No pixel met the border, so that the way back is exact.
    assert 0 < np.min(crafted) and np.max(crafted) < 1
    found, latents = flow.encode(crafted), flow.encode(batch.images)
    np.testing.assert_allclose(distances(found, latents), 0.5, rtol=1e-3)
    again = methods.RandomizedLA(flow, 0.5).craft(classifier, batch, SEED + 1)
    assert np.abs(again - crafted).max(axis=(1, 2, 3)).min() > 1e-2


def test_directions_are_uniform():
    """The coordinates of a uniform direction have variance 1/d."""

    class Plane:
        def encode(self, images):
            return [images[:, :, :1], images[:, :, 1:]]

        def decode(self, latents):
            return tf.concat(latents, axis=2)

    images = np.full((4000, 2, 3, 1), 0.5, "float32")
    batch = ij.samples.Batch(tf.constant(images), tf.one_hot([0] * 4000, 3))
    crafted = methods.RandomizedLA(Plane(), 0.4).craft(None, batch, SEED)
    moves = (crafted.numpy() - images).reshape(4000, 6) / 0.4
    np.testing.assert_allclose(np.linalg.norm(moves, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(moves.mean(axis=0), 0, atol=0.03)
    np.testing.assert_allclose(moves.T @ moves / 4000, np.eye(6) / 6, atol=0.02)


def test_images_stay_in_range_and_radius_zero_changes_nothing(
    batch, classifier, flow
):
    far = methods.RandomizedLA(flow, 50.0).craft(classifier, batch, SEED)
    assert np.min(far) == 0 and np.max(far) == 1
    still = methods.RandomizedLA(flow, 0).craft(classifier, batch, SEED)
    np.testing.assert_allclose(still, batch.images, atol=1e-5)


def test_latents_that_come_with_the_data(batch, classifier, flow):
    latents = [latent + 0.3 for latent in flow.encode(batch.images)]
    given = batch._replace(latents=latents)
    crafted = methods.RandomizedLA(flow, 0.1).craft(classifier, given, SEED)
    found = distances(flow.encode(crafted), latents)
    np.testing.assert_allclose(found, 0.1, rtol=1e-2)


def test_generators_that_will_not_do(images, labels):
    class Decoder:
        def decode(self, latents):
            return latents

    with pytest.raises(ValueError, match="`decode"):
        methods.RandomizedLA(None)
    with pytest.raises(ValueError, match="`radius`"):
        methods.RandomizedLA(Decoder(), -1)
    model = ij.training.AdversarialModel(
        tiny.make_classifier(), methods.RandomizedLA(Decoder())
    )
    model.compile(optimizer="sgd")
    with pytest.raises(ValueError, match="has no `encode`"):
        model.fit(images, labels, verbose=0)
