"""Which classifier is left on the disk, and when."""

import warnings
import zipfile

import keras
import numpy as np
import pytest

import ijsat_tf as ij
from tests.conformance import catalogue


def make_model(net=None):
    model = catalogue.make_model(ij.training.methods.Standard(), net)
    model.run_eagerly = True  # Tracing takes most of a test's time.
    return model


def scored(scores):
    """Puts one score an epoch into the logs, or None."""

    def put(epoch, logs):
        if scores[epoch] is not None:
            logs["score"] = scores[epoch]

    return keras.callbacks.LambdaCallback(on_epoch_end=put)


def test_only_the_best(images, labels, tmp_path):
    model = make_model()
    history = []
    checkpoint = ij.training.Checkpoint(tmp_path / "best.keras", "score")
    model.fit(
        images,
        labels,
        epochs=6,
        verbose=0,
        callbacks=[
            scored([None, 0.2, 0.1, 0.3, float("nan"), 0.3]),
            keras.callbacks.LambdaCallback(
                on_epoch_end=lambda *_: history.append(model.get_weights())
            ),
            checkpoint,
        ],
    )
    assert checkpoint.best == 0.3
    best = keras.saving.load_model(checkpoint.path)
    for one, two in zip(best.get_weights(), history[3]):
        np.testing.assert_array_equal(one, two)
    assert np.any(history[5][0] != history[3][0])


def test_no_better_than_before_an_interruption(images, labels, tmp_path):
    checkpoint = ij.training.Checkpoint(
        tmp_path / "best.keras", monitor="score", best=0.3
    )
    make_model().fit(
        images, labels, verbose=0, callbacks=[scored([0.3]), checkpoint]
    )
    assert not checkpoint.path.exists()


def test_a_monitor_that_nothing_adds(images, labels, tmp_path):
    checkpoint = ij.training.Checkpoint(tmp_path / "best.keras", "score")
    with pytest.warns(UserWarning, match="never had 'score'"):
        make_model().fit(
            images, labels, verbose=0, callbacks=[checkpoint, scored([1.0])]
        )


def test_a_classifier_of_keras_alone(images, labels, tmp_path):
    net = ij.models.resnet18(3, width=2, image_shape=(8, 8, 2))
    model = make_model(net)
    model.fit(images, labels, verbose=0)
    path = tmp_path / "deeper" / "classifier.keras"
    ij.training.Checkpoint(path).save(model)
    config = zipfile.ZipFile(path).read("config.json").decode()
    assert "ijsat_tf" not in config
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        loaded = keras.saving.load_model(path)
        found = loaded(images)
    assert loaded.name == net.name
    np.testing.assert_array_equal(found, net(images))
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_classifier_that_is_not_functional(images, tmp_path):
    class Net(keras.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.dense = keras.layers.Dense(3)

        def call(self, x):
            return self.dense(keras.ops.reshape(x, (-1, 128)))

    net = Net()
    before = net(images)
    path = tmp_path / "net.keras"
    ij.training.Checkpoint(path).save(net)
    loaded = keras.saving.load_model(path, custom_objects={"Net": Net})
    np.testing.assert_array_equal(loaded(images), before)


def test_paths_that_are_refused(tmp_path):
    with pytest.raises(ValueError, match="must end in '.keras'.*use Backup"):
        ij.training.Checkpoint(tmp_path / "run.weights.h5")


def test_what_is_not_finite_replaces_nothing(tmp_path):
    model = make_model()
    checkpoint = ij.training.Checkpoint(tmp_path / "best.keras")
    checkpoint.save(model)
    before = checkpoint.path.read_bytes()
    kernel = model.trainable_weights[0]
    kernel.assign(np.nan * kernel)
    with pytest.raises(ValueError, match=f"the first such .* {kernel.path}"):
        checkpoint.save(model)
    assert checkpoint.path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["best.keras"]
