import numpy as np
import pytest

import ijsat_tf as ij
from tests.conformance import catalogue


@pytest.fixture
def trained(images, labels, tmp_path):
    model = catalogue.make_model(ij.training.methods.Standard())
    checkpoint = ij.training.Checkpoint(tmp_path / "run.weights.h5")
    model.fit(images, labels, epochs=2, callbacks=[checkpoint], verbose=0)
    return model, checkpoint


def test_restore(trained):
    model, checkpoint = trained
    other = catalogue.make_model(ij.training.methods.Standard())
    assert checkpoint.restore(other) == 2
    for one, two in zip(model.get_weights(), other.get_weights()):
        np.testing.assert_array_equal(one, two)
    for one, two in zip(model.optimizer.variables, other.optimizer.variables):
        np.testing.assert_array_equal(one, two)
    assert [path.name for path in checkpoint.path.parent.iterdir()] == [
        "run.weights.h5"
    ]


def test_nothing_saved(tmp_path):
    model = catalogue.make_model(ij.training.methods.Standard())
    checkpoint = ij.training.Checkpoint(tmp_path / "run.weights.h5")
    assert checkpoint.restore(model) == 0


@pytest.mark.parametrize("spoil", ["truncated", "foreign"])
def test_spoiled_files(trained, spoil):
    _, checkpoint = trained
    content = checkpoint.path.read_bytes()
    if spoil == "truncated":
        content = content[: len(content) // 2]
        checkpoint.path.write_bytes(content)
        other = catalogue.make_model(ij.training.methods.Standard())
    else:
        net = ij.models.small_cnn(3, width=4, image_shape=(8, 8, 2))
        other = catalogue.make_model(ij.training.methods.Standard(), net)
    with pytest.raises(ValueError, match="cannot be read as a checkpoint"):
        checkpoint.restore(other)
    assert checkpoint.path.read_bytes() == content


def test_throughput(images, labels, capsys):
    model = catalogue.make_model(ij.training.methods.Standard())
    logs = model.fit(
        np.repeat(images, 4, 0),
        np.repeat(labels, 4),
        batch_size=6,
        epochs=2,
        callbacks=[ij.training.Throughput(6)],
        verbose=0,
    ).history
    assert len(logs["images_per_second"]) == 2
    assert all(speed > 0 for speed in logs["images_per_second"])
    assert "images/s, about 0 min left" in capsys.readouterr().out
