"""Pictures, read back from TensorBoard's event files."""

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing import event_accumulator

import ijsat_tf as ij
from tests import tiny
from tests.conformance import catalogue

PGD = ij.attacks.PGD(ij.spaces.Linf(0.05), steps=2)


def pictures(directory) -> dict[int, np.ndarray]:
    """{step: picture in 0..255} of the one tag there."""
    events = event_accumulator.EventAccumulator(
        str(directory), size_guidance={event_accumulator.TENSORS: 0}
    ).Reload()
    assert events.Tags()["tensors"] == ["adversarial/PGD"]
    found = {}
    for event in events.Tensors("adversarial/PGD"):
        _, _, png = event.tensor_proto.string_val
        found[event.step] = tf.io.decode_png(png).numpy()
    return found


@pytest.mark.parametrize("count", [1, 4])
def test_three_rows(labels, tmp_path, count):
    model = catalogue.make_model(ij.training.methods.Standard())
    data = tiny.random_images(count), labels[:count]
    directory = tmp_path / "events"
    callback = ij.training.AdversarialImages(PGD, data, directory, every=2)
    model.fit(*data, epochs=5, verbose=0, callbacks=[callback])
    found = pictures(directory)
    assert sorted(found) == [2, 4, 5]
    # Pictures of 8 x 8 within white lines of one pixel.
    picture = found[5].reshape(3, 10, count, 10, 2).swapaxes(1, 2) / 255.0
    assert (picture[:, :, 0] == 1).all() and (picture[..., 9, :] == 1).all()
    original, adversarial, difference = picture[:, :, 1:-1, 1:-1]
    np.testing.assert_allclose(original, data[0], atol=1 / 255)
    assert np.abs(adversarial - original).max() <= 0.05 + 1 / 255
    assert (adversarial != original).mean() > 0.5
    largest = np.abs(adversarial - original).max()
    np.testing.assert_allclose(
        difference,
        0.5 + 0.5 * (adversarial - original) / largest,
        atol=0.1,
    )
    assert min(difference.min(), 1 - difference.max()) < 1 / 255


def test_no_change_is_grey(images, labels, tmp_path):
    model = catalogue.make_model(ij.training.methods.Standard())
    nothing = ij.attacks.PGD(ij.spaces.Linf(0.0), steps=1)
    callback = ij.training.AdversarialImages(
        nothing, (images, labels), tmp_path
    )
    model.fit(images, labels, verbose=0, callbacks=[callback])
    last = pictures(tmp_path)[1][-9:-1, 1:9] / 255.0
    np.testing.assert_allclose(last, 0.5, atol=1 / 255)


def test_what_is_refused(tmp_path):
    images = tiny.random_images(11)
    with pytest.raises(ValueError, match="at most 10 samples"):
        ij.training.AdversarialImages(PGD, (images, np.zeros(11, int)), "x")
    images = tiny.random_images(2, (8, 8, 5))
    with pytest.raises(ValueError, match="from 1 to 4 channels"):
        ij.training.AdversarialImages(PGD, (images, np.zeros(2, int)), "x")
