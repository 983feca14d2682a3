import numpy as np
import tensorflow as tf

from ijsat_tf import seeds
from ijsat_tf.training import methods
from tests import reference
from tests.conformance import catalogue

SEED = tf.constant([1, 2])


def test_loss_by_numpy(batch, classifier, flow):
    attacks = {
        "image": catalogue.ATTACKS["PGD"](flow),
        "latent": catalogue.ATTACKS["OnManifoldPGD"](flow),
    }
    method = methods.DMAT(attacks["image"], attacks["latent"])
    crafted = method.craft(classifier, batch, SEED)
    for images, (name, attack) in zip(crafted, attacks.items()):
        expected = attack(
            classifier,
            batch.images,
            batch.labels,
            seed=seeds.derive(SEED, name),
        )
        np.testing.assert_array_equal(images, expected.images)
    logits = reference.trained(classifier, *crafted)
    expected = np.mean(
        [reference.cross_entropy(batch.labels, each) for each in logits], axis=0
    )
    losses, labels, seen = method.loss(classifier, batch, crafted)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    assert labels is batch.labels
    np.testing.assert_allclose(seen, logits[0], rtol=1e-5, atol=1e-6)


def test_latents_that_come_with_the_data(batch, classifier, flow):
    """A generator's own latents are searched, not those of the images."""
    latents = [latent + 0.3 for latent in flow.encode(batch.images)]
    method = methods.DMAT(
        catalogue.ATTACKS["PGD"](flow), catalogue.ATTACKS["OnManifoldPGD"](flow)
    )
    _, crafted = method.craft(classifier, batch._replace(latents=latents), SEED)
    found = flow.encode(crafted)
    for one, other in zip(found, latents):
        assert np.abs(one - other).max() <= 0.1 + 1e-3
