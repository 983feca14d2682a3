"""Crafting changes no variable and no flag."""

import numpy as np

from tests.conformance import catalogue


def check_same(before, after):
    assert [path for path, *_ in before] == [path for path, *_ in after]
    for (path, value, flag), (_, other, other_flag) in zip(before, after):
        np.testing.assert_array_equal(value, other, err_msg=path)
        assert flag == other_flag


def test_attacks(attacked):
    check_same(attacked.before, attacked.after)
    images, labels = catalogue.batch(7)
    np.testing.assert_array_equal(attacked.images, images)
    np.testing.assert_array_equal(attacked.labels, labels)


def test_methods_train_the_classifier_alone(trained, flow):
    assert flow.trainable and len(flow.trainable_weights) > 0
    model = trained.model
    found = {id(weight) for weight in model.trainable_variables}
    assert found == {id(w) for w in model.classifier.trainable_variables}
    check_same(trained.before, trained.after)
