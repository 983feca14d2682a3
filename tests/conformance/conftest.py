"""Marks variants; one call of each row, which several promises share."""

from typing import Any, NamedTuple

import keras
import numpy as np
import pytest

import ijsat_tf as ij
from tests import tiny
from tests.conformance import catalogue


@pytest.hookimpl(tryfirst=True)  # Before -m looks at marks.
def pytest_collection_modifyitems(items):
    """Marks the rows of the catalogue that `make test` leaves out."""
    rows = {*catalogue.ATTACKS, *catalogue.METHODS}
    for item in items:
        params = getattr(getattr(item, "callspec", None), "params", {})
        names = {each for each in params.values() if isinstance(each, str)}
        if "tests/conformance/" not in item.nodeid:
            continue
        few = catalogue.SAMPLED.get(item.path.name, rows)
        if names & catalogue.VARIANTS or names & rows - few:
            item.add_marker(pytest.mark.variant)


class Attacked(NamedTuple):
    """An attack of the catalogue that was called once, in a graph."""

    attack: ij.attacks.Attack
    classifier: keras.Model
    images: np.ndarray
    labels: np.ndarray
    before: list
    result: ij.attacks.AttackResult
    after: list


class Trained(NamedTuple):
    """A method of the catalogue after one train step, in a graph.

    Attributes:
        weights: Weights of the classifier after the step.
    """

    name: str
    method: Any
    weights: list
    model: ij.training.AdversarialModel
    images: np.ndarray
    labels: np.ndarray
    before: list
    after: list


# Pytest runs all tests of one parameter of a session's fixture one after
# another, so that each row is traced once and then forgotten.
@pytest.fixture(scope="session", params=catalogue.ATTACKS)
def attacked(request, flow):
    keras.utils.set_random_seed(0)
    attack = catalogue.ATTACKS[request.param](flow)
    classifier = tiny.make_classifier()
    images, labels = catalogue.batch(7)  # Uneven in two parts.
    before = state(flow, classifier)
    result = attack(classifier, images, labels, seed=3)
    after = state(flow, classifier)
    return Attacked(attack, classifier, images, labels, before, result, after)


@pytest.fixture(scope="session", params=catalogue.METHODS)
def trained(request, flow):
    keras.utils.set_random_seed(0)
    method = catalogue.METHODS[request.param](flow)
    images, labels = catalogue.batch(8)
    before = state(flow)
    model = catalogue.make_model(method)
    model.train_on_batch(images, labels)
    weights = model.classifier.get_weights()
    return Trained(
        request.param,
        method,
        weights,
        model,
        images,
        labels,
        before,
        state(flow),
    )


def state(*models):
    """The weights of some models, with their paths and flags."""
    return [
        (weight.path, np.array(weight), weight.trainable)
        for model in models
        for weight in model.weights
    ]
