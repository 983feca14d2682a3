import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.training import methods
from tests import reference
from tests.conformance import catalogue

SEED = tf.constant([1, 2])


def test_loss_by_numpy(batch, classifier, labels):
    method = methods.MART(catalogue.ATTACKS["PGD"](None), beta=2.5)
    crafted = method.craft(classifier, batch, SEED)
    natural, attacked = reference.trained(classifier, batch.images, crafted)
    p, q = reference.softmax(attacked), reference.softmax(natural)
    rows = np.arange(len(labels))
    others = p.copy()
    others[rows, labels] = 0
    expected = -np.log(p[rows, labels]) - np.log(1.0001 - others.max(axis=1))
    divergence = (q * np.log(q / (p + 1e-12))).sum(axis=1)
    expected += 2.5 * divergence * (1.0000001 - q[rows, labels])
    losses, seen, logits = method.loss(classifier, batch, crafted)
    np.testing.assert_allclose(losses, expected, rtol=1e-4)
    np.testing.assert_array_equal(seen, batch.labels)
    np.testing.assert_allclose(logits, attacked, rtol=1e-5, atol=1e-6)


def test_extreme_logits_are_finite(batch):
    """Probabilities of exactly 0 and 1, in the values and the gradients."""
    scale = tf.Variable(200.0)

    def classifier(images, training):
        return scale * tf.one_hot([0, 1, 2, 1, 2, 0], 3)

    method = methods.MART(catalogue.ATTACKS["PGD"](None))
    with tf.GradientTape() as tape:
        losses, *_ = method.loss(classifier, batch, batch.images)
    assert np.isfinite(losses).all()
    assert np.isfinite(tape.gradient(losses, scale))


def test_soft_labels_are_refused(images, labels):
    model = catalogue.make_model(catalogue.METHODS["MART"](None))
    before = model.get_weights()
    soft = 0.8 * np.eye(3)[labels] + 0.2 / 3
    with pytest.raises(ValueError, match="MART needs hard labels"):
        model.fit(images, soft, verbose=0)
    for one, other in zip(before, model.get_weights()):
        np.testing.assert_array_equal(one, other)
    model.fit(images, np.eye(3)[labels], verbose=0)


def test_logits_in_bfloat16(batch):
    """A foreign network under mixed precision has no float32 logits."""
    method = methods.MART(catalogue.ATTACKS["PGD"](None))
    logits = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
    logits = tf.cast(tf.constant(logits), tf.bfloat16)
    rough, *_ = method.loss(
        lambda images, training: logits, batch, batch.images
    )
    exact, *_ = method.loss(
        lambda images, training: tf.cast(logits, tf.float32),
        batch,
        batch.images,
    )
    np.testing.assert_array_equal(rough, exact)
