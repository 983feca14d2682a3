"""Metrics of the model against those of the classifier compiled by Keras."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf.training.of_classes import in_form_of
from tests import tiny
from tests.conformance import catalogue

SPARSE = [
    "accuracy",
    "acc",
    "sparse_categorical_accuracy",
    keras.metrics.sparse_top_k_categorical_accuracy,
]
# One object a model: `fit` and `evaluate` count in it.
CATEGORICAL = [
    lambda: "accuracy",
    lambda: "categorical_accuracy",
    lambda: keras.metrics.TopKCategoricalAccuracy(2),
    lambda: keras.metrics.F1Score("macro"),
    lambda: keras.metrics.AUC(
        name="auc", multi_label=True, num_labels=3, from_logits=True
    ),
    lambda: keras.metrics.CategoricalCrossentropy(from_logits=True),
]


def evaluated(labels, loss, metrics):
    """Names and values: of Keras' own model, and of ours."""
    keras.utils.set_random_seed(0)
    images = tiny.random_images()
    net = tiny.make_classifier()
    net.compile("sgd", loss, metrics=metrics())
    model = ij.training.AdversarialModel(net, ij.training.methods.Standard())
    model.compile("sgd", metrics=metrics())
    return [
        each.evaluate(images, labels, verbose=0, return_dict=True)
        for each in (net, model)
    ]


def assert_equal(found, expected):
    assert found.keys() == expected.keys()
    for name, number in expected.items():
        np.testing.assert_allclose(found[name], number, rtol=1e-5)


def test_classes(labels):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    for given in (labels, labels[:, None]):
        expected, found = evaluated(given, loss, lambda: SPARSE)
        assert_equal(found, expected)


@pytest.mark.parametrize("kind", ["one-hot", "soft"])
def test_rows_reach_metrics_as_they_are(labels, kind):
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    rows = np.eye(3, dtype="float32")[labels]
    metrics = CATEGORICAL
    if kind == "soft":  # Which F1 and the area under a curve do not take.
        rows, metrics = 0.7 * rows + 0.1, [*CATEGORICAL[:3], CATEGORICAL[-1]]
    expected, found = evaluated(rows, loss, lambda: [m() for m in metrics])
    assert_equal(found, expected)


def test_sparse_metrics_get_the_classes_of_rows(labels):
    """Which Keras alone refuses; the user's own metric counts too."""
    own = keras.metrics.SparseCategoricalCrossentropy(from_logits=True)
    images = tiny.random_images()
    model = catalogue.make_model(ij.training.methods.Standard())
    model.compile("sgd", metrics=[*SPARSE, own])
    for given in (0.7 * np.eye(3)[labels] + 0.1, labels):
        # In any order, and with a compiled graph for each form.
        found = model.evaluate(images, given, verbose=0, return_dict=True)
        logits = model(images, training=False).numpy()
        accuracy = (logits.argmax(1) == labels).mean()
        for name in SPARSE[:3]:
            assert found[name] == pytest.approx(accuracy)
        assert found["sparse_top_k_categorical_accuracy"] == 1
        name = "sparse_categorical_crossentropy"
        assert found[name] == pytest.approx(float(own.result()))


def test_training_on_a_mixture(images, labels):
    """Of a mixture metrics get the heavier class, in the form of y."""

    class Seen(keras.metrics.Metric):
        def __init__(self):
            super().__init__(name="seen")
            self.labels = []

        def update_state(self, y_true, y_pred, sample_weight=None):
            if tf.is_tensor(y_true):
                self.labels.append(np.array(y_true))

        def result(self):
            return 0.0

    @ij.types.value
    class Mixing(ij.training.methods.Standard):
        def mixture(self, batch, seed):
            return batch._replace(labels=tf.constant(6 * [[0.3, 0.1, 0.6]]))

    rows = np.eye(3, dtype="float32")[labels]
    soft = (0.7 * rows + 0.1).astype("float32")
    for method, given, expected in (
        (Mixing(), labels, np.full(6, 2)),
        (Mixing(), labels[:, None], np.full((6, 1), 2)),
        (Mixing(), rows, np.eye(3)[np.full(6, 2)]),
        (ij.training.methods.Standard(), labels, labels),
        (ij.training.methods.Standard(), soft, soft),
    ):
        seen = Seen()
        model = catalogue.make_model(method)
        model.compile("sgd", metrics=[seen], run_eagerly=True)
        model.fit(images, given, batch_size=6, shuffle=False, verbose=0)
        np.testing.assert_array_equal(seen.labels[-1], expected)


def test_in_form_of():
    mixed = tf.constant([[0.4, 0.6], [0.9, 0.1]])
    for given, expected in (
        ([0, 1], [1, 0]),
        ([[0], [1]], [[1], [0]]),
        ([[1.0, 0.0], [0.0, 1.0]], [[0, 1], [1, 0]]),
    ):
        found = in_form_of(tf.constant(given), mixed)
        np.testing.assert_array_equal(found, expected)


def test_the_metrics_are_saved(images, labels, tmp_path):
    rows = np.eye(3, dtype="float32")[labels]
    model = catalogue.make_model(ij.training.methods.Standard())
    model.compile("sgd", metrics=[*SPARSE, *(make() for make in CATEGORICAL)])
    expected = model.evaluate(images, rows, verbose=0, return_dict=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    found = loaded.evaluate(images, rows, verbose=0, return_dict=True)
    assert_equal(found, expected)
