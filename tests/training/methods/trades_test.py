import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.attacks import PGD
from ijsat_tf.spaces import Linf
from ijsat_tf.training import methods
from tests import reference
from tests.conformance import catalogue

SEED = tf.constant([1, 2])


def test_loss_by_numpy(batch, classifier):
    method = methods.TRADES(catalogue.ATTACKS["PGD"](None), beta=2.5)
    crafted = method.craft(classifier, batch, SEED)
    natural, attacked = reference.trained(classifier, batch.images, crafted)
    expected = reference.cross_entropy(batch.labels, natural)
    expected += 2.5 * reference.kl_divergence(natural, attacked)
    losses, labels, logits = method.loss(classifier, batch, crafted)
    np.testing.assert_allclose(losses, expected, rtol=1e-4)
    assert labels is batch.labels
    np.testing.assert_allclose(logits, attacked, rtol=1e-5, atol=1e-6)


def test_one_step_climbs_the_divergence(batch, classifier):
    """The attack's cross entropy has the divergence's gradient."""
    ball = Linf(0.05, step=0.01)
    method = methods.TRADES(PGD(ball, steps=1))
    start = PGD(Linf(0.05, step=0.0), steps=1)(
        classifier, batch.images, batch.labels, seed=SEED
    ).images
    natural = classifier(batch.images, training=False)
    with tf.GradientTape() as tape:
        tape.watch(start)
        p = tf.nn.softmax(natural)
        q = tf.nn.log_softmax(classifier(start, training=False))
        divergence = tf.reduce_sum(p * (tf.math.log(p) - q))
    slope = tape.gradient(divergence, start)
    moved = start + 0.01 * tf.sign(slope)
    expected = tf.clip_by_value(moved, batch.images - 0.05, batch.images + 0.05)
    crafted = method.craft(classifier, batch, SEED)
    # The sign of a gradient next to 0 is a matter of rounding.
    assert np.mean(np.abs(crafted - expected) > 1e-6) < 0.01


def test_gradients_flow_through_the_natural_probabilities(batch, classifier):
    method = methods.TRADES(catalogue.ATTACKS["PGD"](None), beta=1.0)
    crafted = method.craft(classifier, batch, SEED)
    gradients = []
    for stopped in (False, True):
        with tf.GradientTape() as tape:
            natural = classifier(batch.images, training=False)
            attacked = classifier(crafted, training=False)
            p = tf.nn.softmax(natural)
            p = tf.stop_gradient(p) if stopped else p
            q = tf.nn.log_softmax(attacked)
            loss = tf.reduce_sum(p * (tf.math.log(p) - q))
        gradients.append(tape.gradient(loss, classifier.trainable_weights[-2]))
    assert np.abs(gradients[0] - gradients[1]).max() > 1e-4
    classifier.trainable = True
    with tf.GradientTape() as tape:
        # Cross entropy out, divergence in: the difference of two betas.
        half, *_ = method.loss(
            lambda x, training: classifier(x), batch, crafted
        )
        none, *_ = methods.TRADES(method.attack, beta=0.0).loss(
            lambda x, training: classifier(x), batch, crafted
        )
        loss = tf.reduce_sum(half - none)
    found = tape.gradient(loss, classifier.trainable_weights[-2])
    np.testing.assert_allclose(found, gradients[0], atol=1e-5)


def test_a_run_that_diverged_says_so(images, labels):
    model = catalogue.make_model(catalogue.METHODS["TRADES"](None))
    model.classifier.layers[-1].kernel.assign(
        np.nan * np.ones(model.classifier.layers[-1].kernel.shape)
    )
    with pytest.raises(ValueError, match="lower the learning rate"):
        model.fit(images, labels, verbose=0)
