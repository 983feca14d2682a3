"""Hard labels and balls that are checked, and verdicts against Keras."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.attacks.autoattack import hard_labels
from ijsat_tf.spaces import L2, Linf
from tests import tiny

LABELS = np.eye(5, dtype="float32")[[0, 1, 2, 3, 4, 0]]


def test_soft_labels_are_refused():
    np.testing.assert_array_equal(
        hard_labels.require_hard(LABELS, "It"), LABELS
    )
    with pytest.raises(ValueError, match="It needs hard labels"):
        hard_labels.require_hard(0.9 * LABELS + 0.02, "It")


def test_labels_that_are_nearly_hard_become_hard():
    found = hard_labels.require_hard(tf.constant(LABELS * 0.9995), "It")
    np.testing.assert_array_equal(found, LABELS)


def test_a_model_of_a_single_class_is_refused():
    with pytest.raises(ValueError, match="It needs a model of 2 classes"):
        hard_labels.require_hard(np.ones([3, 1], "float32"), "It")


@pytest.mark.parametrize("ball", [Linf(0.5), L2(5.0)])
def test_a_verdict_keeps_the_candidates_that_are_wrong(images, ball):
    model = tiny.make_classifier()
    draws = np.random.default_rng(1).random(images.shape)
    candidates = draws.astype("float32")
    clean, logits = model(images).numpy(), model(candidates).numpy()
    # Right and wrong, before and after.
    labels = clean.argmax(1)
    labels[3:] = (logits.argmax(1)[3:] + [0, 0, 1]) % 3
    result = hard_labels.verdict(
        model,
        ball.norm,
        tf.constant(images),
        tf.one_hot(labels, 3),
        tf.constant(candidates),
    )
    wrong = logits.argmax(1) != labels
    assert 0 < wrong.sum() < 6
    expected = np.where(wrong[:, None, None, None], candidates, images)
    np.testing.assert_array_equal(result.images, expected)
    again = model(expected).numpy()
    np.testing.assert_array_equal(result.success, again.argmax(1) != labels)
    loss = keras.losses.sparse_categorical_crossentropy(labels, again, True)
    np.testing.assert_allclose(result.loss, loss, rtol=1e-4)
    order = np.inf if isinstance(ball, Linf) else 2
    change = np.reshape(expected - images, (6, -1))
    used = np.linalg.norm(change, order, axis=1)
    np.testing.assert_allclose(result.budget["pixels"], used, rtol=1e-5)
    assert not np.any(result.overflowed)
