"""Adversarial training takes any attack: a step moves the classifier alone."""

import numpy as np
import pytest

import ijsat_tf as ij
from tests.conformance import catalogue
from tests.conformance.conftest import state

UNTARGETED = [name for name in catalogue.ATTACKS if "targeted" not in name]
UNTARGETED += ["FAB, L2, untargeted"]


@pytest.mark.parametrize("name", UNTARGETED)
def test_attacks(name, flow):
    before = state(flow)
    model = catalogue.make_model(
        ij.training.methods.AT(catalogue.ATTACKS[name](flow))
    )
    start = model.classifier.get_weights()
    loss = model.train_on_batch(*catalogue.batch(8))[0]
    assert np.isfinite(loss)
    for old, new in zip(start, model.classifier.get_weights()):
        assert np.isfinite(new).all() and not np.array_equal(old, new)
    for (path, old, _), (_, new, _) in zip(before, state(flow)):
        np.testing.assert_array_equal(old, new, path)
