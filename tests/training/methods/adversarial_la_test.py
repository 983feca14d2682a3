import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf.training import methods
from tests import reference
from tests.training.methods.randomized_la_test import distances

SEED = tf.constant([1, 2])


def test_loss_by_numpy(batch, classifier, flow):
    """The model's own labels in the attack, the true ones in the loss."""
    method = methods.AdversarialLA(flow)
    crafted = method.craft(classifier, batch, SEED)
    own = np.argmax(classifier(batch.images, training=False), axis=1)
    assert (own != np.argmax(batch.labels, axis=1)).any()
    ball = ij.spaces.L2(1.0, step=0.5)
    attack = ij.attacks.OnManifoldPGD(flow, ball, steps=3)
    expected = attack(classifier, batch.images, own, seed=SEED).images
    np.testing.assert_array_equal(crafted, expected)
    (logits,) = reference.trained(classifier, crafted)
    expected = reference.cross_entropy(batch.labels, logits)
    losses, labels, _ = method.loss(classifier, batch, crafted)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    assert labels is batch.labels


def test_true_labels_play_no_part_in_the_attack(batch, classifier, flow):
    method = methods.AdversarialLA(flow)
    other = batch._replace(labels=batch.labels[::-1])
    np.testing.assert_array_equal(
        method.craft(classifier, batch, SEED),
        method.craft(classifier, other, SEED),
    )


def test_it_leads_away_from_the_models_own_class(batch, classifier, flow):
    own = tf.one_hot(tf.argmax(classifier(batch.images), axis=1), 3)
    random = methods.RandomizedLA(flow, 0.5).craft(classifier, batch, SEED)
    method = methods.AdversarialLA(flow, 0.5, step=0.25)
    crafted = method.craft(classifier, batch, SEED)
    assert 0 < np.min(crafted) and np.max(crafted) < 1
    found = distances(flow.encode(crafted), flow.encode(batch.images))
    assert found.max() <= 0.5 + 1e-3
    assert found.min() > 0.25
    losses = [
        reference.cross_entropy(own, classifier(images))
        for images in (crafted, random)
    ]
    assert (losses[0] > losses[1]).all()


def test_latents_that_come_with_the_data(batch, classifier, flow):
    latents = [latent + 0.3 for latent in flow.encode(batch.images)]
    given = batch._replace(latents=latents)
    method = methods.AdversarialLA(flow, 0.1, step=0.05)
    crafted = method.craft(classifier, given, SEED)
    found = distances(flow.encode(crafted), latents)
    assert found.max() <= 0.1 + 1e-3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"radius": -1}, "`radius`"),
        ({"step": "0.5"}, "`step`"),
        ({"steps": 0}, "`steps`"),
        ({"flow": None}, "`decode"),
    ],
)
def test_bad_settings(flow, settings, message):
    with pytest.raises(ValueError, match=message):
        methods.AdversarialLA(**{"flow": flow, **settings})
