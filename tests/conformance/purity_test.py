"""Crafting changes no variable and no flag."""

import numpy as np
import pytest

from tests.conformance import catalogue


def state(*models):
    return [
        (weight.path, np.array(weight), weight.trainable)
        for model in models
        for weight in model.weights
    ]


def check_same(before, after):
    assert [path for path, *_ in before] == [path for path, *_ in after]
    for (path, value, flag), (_, other, other_flag) in zip(before, after):
        np.testing.assert_array_equal(value, other, err_msg=path)
        assert flag == other_flag


@pytest.mark.parametrize("name", catalogue.ATTACKS)
def test_attacks(name, flow, classifier, images, labels):
    before = state(flow, classifier)
    given = images.copy(), labels.copy()
    catalogue.ATTACKS[name](flow)(classifier, images, labels, seed=3)
    check_same(before, state(flow, classifier))
    np.testing.assert_array_equal(given[0], images)
    np.testing.assert_array_equal(given[1], labels)


@pytest.mark.parametrize("name", catalogue.METHODS)
def test_methods_train_the_classifier_alone(name, flow, images, labels):
    before = state(flow)
    model = catalogue.make_model(catalogue.METHODS[name](flow))
    assert flow.trainable and len(flow.trainable_weights) > 0
    trained = {id(weight) for weight in model.trainable_variables}
    assert trained == {id(w) for w in model.classifier.trainable_variables}
    model.train_on_batch(images, labels)
    check_same(before, state(flow))
