"""Graph = eager, and a batch in parts = the whole batch."""

import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.runtime import side_by_side
from tests.conformance import catalogue


def test_attacks(attacked, monkeypatch):
    attack, classifier, images, labels, _, graph, _ = attacked
    monkeypatch.setattr(side_by_side, "_cores", lambda: 2)
    with catalogue.eagerly():
        eager = attack(classifier, images, labels, seed=3)
    # A gradient near zero may change its sign with the order of sums: the
    # loss, not every pixel, is what must agree.
    np.testing.assert_allclose(eager.loss, graph.loss, rtol=1e-3)
    assert np.mean(np.abs(eager.images - graph.images) > 1e-4) < 0.01
    for space, used in graph.budget.items():
        np.testing.assert_allclose(eager.budget[space], used, rtol=1e-4)


@pytest.mark.parametrize("name", ["PGD", "Square", "JointSpaceAttack"])
def test_a_function_of_the_callers(
    name, flow, classifier, images, labels, caplog
):
    attack = catalogue.ATTACKS[name](flow)

    @tf.function
    def craft(images, labels):
        return attack(classifier, images, labels, seed=3)

    found = craft(tf.constant(images), tf.constant(labels))
    # AutoGraph rewrites nothing of the library.
    assert "AutoGraph" not in caplog.text
    np.testing.assert_allclose(
        found.loss, attack(classifier, images, labels, seed=3).loss, rtol=1e-3
    )


@pytest.mark.parametrize("name", catalogue.LAYERS)
def test_layers(name):
    layer = catalogue.LAYERS[name]()
    activations = tf.random.stateless_normal([2, 4, 4, 8], [0, 1])
    layer.build(activations.shape)
    eager = layer.inverse_and_log_det(activations)
    graph = tf.function(layer.inverse_and_log_det)(activations)
    for one, other in zip(eager, graph):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def test_glow(flow, images):
    with catalogue.eagerly():
        eager = flow.log_prob(images), flow.encode(images)[0]
    graph = flow.log_prob(images), flow.encode(images)[0]
    for one, other in zip(eager, graph):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_methods(trained):
    eager = catalogue.make_model(trained.method)
    eager.run_eagerly = True
    with catalogue.eagerly():
        eager.train_on_batch(trained.images, trained.labels)
    for one, other in zip(trained.weights, eager.classifier.get_weights()):
        np.testing.assert_allclose(one, other, atol=1e-4)
