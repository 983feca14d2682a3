"""What earlier versions wrote is loaded, resumed and read."""

import shutil

import keras
import numpy as np
import pytest

import ijsat_tf as ij
from tests.commands import run
from tests.golden import make_written as written


@pytest.fixture(scope="module")
def expected():
    with np.load(written.FOLDER / "expected.npz") as file:
        return dict(file)


@pytest.fixture
def folder(tmp_path):
    """A copy, since commands write into it."""
    return shutil.copytree(written.FOLDER, tmp_path / "written")


def weights(path):
    return keras.saving.load_model(path).get_weights()


def test_a_flow_is_loaded(expected):
    images, _ = written.images()
    flow = keras.saving.load_model(written.FOLDER / "flow.keras")
    np.testing.assert_allclose(
        flow.log_prob(images), expected["log_prob"], rtol=1e-4
    )


def test_a_classifier_and_its_training_are_loaded(expected):
    images, labels = written.images()
    net = keras.saving.load_model(written.FOLDER / "ijsat" / "classifier.keras")
    model = keras.saving.load_model(written.FOLDER / "ijsat" / "model.keras")
    assert isinstance(model.method, ij.training.methods.IJSAT)
    assert isinstance(model.method.attack, ij.attacks.JointSpaceAttack)
    for found in net, model:
        np.testing.assert_allclose(
            found.predict(images, verbose=0), expected["logits"], atol=1e-4
        )
    found = model.evaluate(images, labels, verbose=0)
    np.testing.assert_allclose(found, expected["losses"], atol=1e-4)
    assert model.optimizer.iterations == 8
    model.fit(images, labels, verbose=0)


def test_a_run_goes_on_in_the_middle_of_an_epoch(folder):
    flow = folder / "flow.keras"
    found = run("train", *written.ijsat(folder / "half", flow))
    assert found.code == 0, found.output
    assert "after epoch 1 and 2 steps" in found.output
    whole = weights(folder / "ijsat" / "classifier.keras")
    resumed = weights(folder / "half" / "classifier.keras")
    for one, other in zip(whole, resumed, strict=True):
        # Other CPUs round otherwise.
        np.testing.assert_allclose(one, other, atol=1e-3)


def test_records_are_read_and_not_made_again(folder):
    arguments = written.evaluation(folder / "ijsat", folder / "flow.keras")
    records = folder / "ijsat" / "records" / "last"
    before = {path.name: path.read_bytes() for path in records.iterdir()}
    assert len(before) == 7
    found = run("eval", *arguments)
    assert found.code == 0, found.output
    shown = run("eval", *arguments, "--table_only")
    assert shown.code == 0, shown.output
    assert shown.output.splitlines()[-1] == found.output.splitlines()[-1]
    after = {path.name: path.read_bytes() for path in records.iterdir()}
    assert before == after


def test_an_interrupted_autoattack_goes_on(folder, expected):
    net = keras.saving.load_model(folder / "ijsat" / "classifier.keras")
    state = folder / "autoattack.npz"
    verdict = written.autoattack().run(
        net, *written.images(), state=state, verbose=False
    )
    np.testing.assert_array_equal(
        np.stack(list(verdict.alive.values())), expected["alive"]
    )
