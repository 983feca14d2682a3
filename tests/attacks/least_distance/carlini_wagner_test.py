"""Carlini and Wagner's attack against the least change of linear models."""

import numpy as np
import pytest

from ijsat_tf.attacks import CarliniWagner
from tests import tiny
from tests.attacks.least_distance.linear import (
    MODEL,
    OUTER,
    labels_of,
    least_distances,
    lengths,
)


@pytest.mark.parametrize("abort_early", [True, False])
def test_finds_the_least_change_of_a_linear_model(abort_early):
    # From exact black and white the slope of tanh leads nowhere for long.
    images = np.clip(OUTER, 0.02, 0.98)
    attack = CarliniWagner(
        steps=300, learning_rate=0.02, abort_early=abort_early
    )
    result = attack(MODEL, images, labels_of(images))
    assert np.all(result.success)
    found = lengths("l2", result.images - images)
    expected = least_distances("l2", images)
    assert np.all(found >= expected * (1 - 1e-4))
    assert np.all(found <= expected * 1.02)


def test_the_confidence_is_a_lead_in_logits(images):
    model = tiny.make_classifier()
    classes = np.argmax(model(images), axis=1)
    labels = np.where(np.arange(6) < 3, classes, (classes + 1) % 3)
    attack = CarliniWagner(100, 5, learning_rate=0.05, confidence=0.2)
    found = attack(model, images, labels).images[:3]
    logits = model(found).numpy()
    lead = logits.max(axis=1) - logits[np.arange(3), labels[:3]]
    assert np.all(lead >= 0.2 - 1e-4) and np.median(lead) < 0.4
    targets = (classes + 1) % 3
    result = CarliniWagner(100, 5, 0.05, targeted=True)(model, images, targets)
    np.testing.assert_array_equal(np.argmax(model(result.images), 1), targets)
