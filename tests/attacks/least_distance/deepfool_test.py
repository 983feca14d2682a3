"""DeepFool against closed forms on linear models."""

import numpy as np
import pytest

from ijsat_tf.attacks import DeepFool
from tests.attacks.autoattack.fab_test import linear
from tests.attacks.least_distance.linear import (
    INNER,
    MODEL,
    ORDERS,
    OUTER,
    labels_of,
    least_distances,
    lengths,
)


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_one_step_leads_beyond_the_nearest_of_ten_boundaries(norm):
    weights, model = linear(10)
    logits = model(INNER).numpy()
    labels = logits.argmax(1)
    gaps = logits.max(1, keepdims=True) - logits
    dual = {"l2": 2, "linf": 1}[norm]
    slopes = np.linalg.norm(weights - weights[labels][:, None], dual, axis=2)
    each = np.where(slopes > 0, gaps / np.maximum(slopes, 1e-9), np.inf)
    result = DeepFool(norm, steps=1)(model, INNER, labels)
    assert np.all(result.success)
    expected = (each.min(1) + 1e-4) * 1.02
    np.testing.assert_allclose(result.budget["pixels"], expected, rtol=1e-4)
    # Of two candidates, the other one is the class of the second logit.
    result = DeepFool(norm, candidates=2)(model, INNER, labels)
    second = each[np.arange(6), np.argsort(-logits, 1)[:, 1]]
    assert np.all(result.budget["pixels"] <= (second + 1e-4) * 1.0201)


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_it_stops_within_the_box_and_never_before_the_boundary(norm):
    labels = labels_of(OUTER)
    result = DeepFool(norm)(MODEL, OUTER, labels)
    assert np.all(result.success) and norm in ORDERS
    found = lengths(norm, result.images - OUTER)
    assert np.all(found >= least_distances(norm, OUTER) * (1 - 1e-4))
    assert np.min(result.images) >= 0 and np.max(result.images) <= 1
