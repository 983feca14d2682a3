import numpy as np
import pytest
from tensorboard.backend.event_processing import event_accumulator
from tensorboard.util import tensor_util

import ijsat_tf as ij
from tests.conformance import catalogue


def read(folder):
    events = event_accumulator.EventAccumulator(
        str(folder), size_guidance={"tensors": 0}
    )
    events.Reload()
    return {
        event.step: tensor_util.make_ndarray(event.tensor_proto).item()
        for event in events.Tensors("loss")
    }


def test_means_of_two_steps_and_of_what_is_left(images, labels, tmp_path):
    """The losses of single batches are what `train_on_batch` returns."""
    x, y = np.tile(images, (5, 1, 1, 1)), np.tile(labels, 5)
    model = catalogue.make_model(ij.training.methods.Standard())
    singles = []
    for _ in range(2):
        for start in range(0, 30, 6):
            batch = slice(start, start + 6)
            model.reset_metrics()
            singles.append(model.train_on_batch(x[batch], y[batch])[0])
    model = catalogue.make_model(ij.training.methods.Standard())
    for first in (0, 1):  # The second `fit` goes on, as a resumed run does.
        model.fit(
            x,
            y,
            batch_size=6,
            initial_epoch=first,
            epochs=first + 1,
            shuffle=False,
            verbose=0,
            callbacks=[ij.training.StepLosses(tmp_path, every=2)],
        )
    expected = {
        last: np.mean(singles[first:last])
        for first, last in ((0, 2), (2, 4), (4, 5), (5, 7), (7, 9), (9, 10))
    }
    found = read(tmp_path)
    assert list(found) == list(expected)
    np.testing.assert_allclose(
        list(found.values()), list(expected.values()), rtol=1e-4
    )


def test_an_epoch_that_is_resumed(tmp_path):
    """After 3 steps: the mean of all is known, that of the 4th is not."""
    callback = ij.training.StepLosses(tmp_path, every=2, first_step=3)
    model = catalogue.make_model(ij.training.methods.Standard())
    callback.set_model(model)
    losses = np.array([8.0, 4.0, 9.0, 3.0, 1.0, 5.0, 12.0])
    for epoch, first in ((1, 3), (2, 0)):
        callback.on_epoch_begin(epoch)
        for batch, step in enumerate(range(first, 7)):
            model.optimizer.iterations.assign(7 * epoch + step + 1)
            logs = {"loss": np.mean(losses[: step + 1])}
            callback.on_train_batch_end(batch, logs)
        callback.on_epoch_end(epoch, logs)
    expected = {13: 3.0, 14: 12.0, 16: 6.0, 18: 6.0, 20: 3.0, 21: 12.0}
    assert read(tmp_path) == pytest.approx(expected)


def test_bad_settings(tmp_path):
    with pytest.raises(ValueError, match="`every`"):
        ij.training.StepLosses(tmp_path, every=0)
