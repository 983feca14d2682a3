"""What a checkpoint leaves on the disk, and when."""

import warnings
import zipfile

import keras
import numpy as np
import pytest

import ijsat_tf as ij
from tests.conformance import catalogue


def make_model(net=None):
    return catalogue.make_model(ij.training.methods.Standard(), net)


def scored(scores):
    """Puts one score an epoch into the logs, or None."""

    def put(epoch, logs):
        if scores[epoch] is not None:
            logs["score"] = scores[epoch]

    return keras.callbacks.LambdaCallback(on_epoch_end=put)


@pytest.fixture
def trained(images, labels, tmp_path):
    model = make_model()
    checkpoint = ij.training.Checkpoint(tmp_path / "run.weights.h5")
    model.fit(images, labels, epochs=2, callbacks=[checkpoint], verbose=0)
    return model, checkpoint


def test_restore(trained):
    model, checkpoint = trained
    other = make_model()
    assert checkpoint.restore(other) == 2
    for one, two in zip(model.get_weights(), other.get_weights()):
        np.testing.assert_array_equal(one, two)
    for one, two in zip(model.optimizer.variables, other.optimizer.variables):
        np.testing.assert_array_equal(one, two)
    assert [path.name for path in checkpoint.path.parent.iterdir()] == [
        "run.weights.h5"
    ]


def test_nothing_saved(tmp_path):
    checkpoint = ij.training.Checkpoint(tmp_path / "run.weights.h5")
    assert checkpoint.restore(make_model()) == 0


@pytest.mark.parametrize("spoil", ["truncated", "foreign"])
def test_spoiled_files(trained, spoil):
    _, checkpoint = trained
    content = checkpoint.path.read_bytes()
    net = None
    if spoil == "truncated":
        content = content[: len(content) // 2]
        checkpoint.path.write_bytes(content)
    else:
        net = ij.models.small_cnn(3, width=4, image_shape=(8, 8, 2))
    with pytest.raises(ValueError, match="cannot be read as a checkpoint"):
        checkpoint.restore(make_model(net))
    assert checkpoint.path.read_bytes() == content


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
    with pytest.warns(UserWarning, match="'score' was never in the logs"):
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
    with pytest.raises(ValueError, match=r"must end in '.weights.h5'"):
        ij.training.Checkpoint(tmp_path / "run.h5")
    checkpoint = ij.training.Checkpoint(tmp_path / "best.keras")
    checkpoint.save(make_model())
    with pytest.raises(ValueError, match="no optimizer to resume"):
        checkpoint.restore(make_model())


def test_another_optimizer(trained):
    _, checkpoint = trained
    other = catalogue.make_model(ij.training.methods.Standard())
    other.compile(optimizer="adam")
    with pytest.raises(ValueError, match="cannot be read as a checkpoint"):
        checkpoint.restore(other)
    other = ij.training.AdversarialModel(
        other.classifier, ij.training.methods.Standard()
    )
    with pytest.raises(ValueError, match="must be compiled"):
        checkpoint.restore(other)
