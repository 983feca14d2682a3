"""Settings and data that are refused before hours were spent."""

import numpy as np
import pytest

import ijsat_tf as ij
from tests import tiny
from tests.conformance import catalogue

PGD = ij.attacks.PGD(ij.spaces.Linf(0.05), steps=1)
TARGETED = ij.attacks.PGD(ij.spaces.Linf(0.05), steps=1, targeted=True)
IMAGES = tiny.random_images(4)
LABELS = np.array([0, 1, 2, 0])
NOT_A_NUMBER = np.where(IMAGES > 0.6, np.nan, IMAGES)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"every": 0}, "`every` must be an integer of at least 1"),
        ({"every": 2.5}, "`every` must be an integer of at least 1"),
        ({"batch_size": 0}, "`batch_size` must be an integer"),
        ({"seed": 2**40}, "`seed` must be an integer of 32"),
        ({"attack": "pgd"}, "`attack` must be an attack"),
        ({"attack": TARGETED}, "`attack` must be untargeted"),
        ({"data": IMAGES}, "`data` must be a tuple"),
        ({"data": (255 * IMAGES, LABELS)}, r"must lie in \[0, 1\]"),
        ({"data": (NOT_A_NUMBER, LABELS)}, r"must lie in \[0, 1\]"),
        ({"data": (IMAGES, LABELS[:3])}, "one entry for each of the 4"),
        ({"data": (IMAGES[:0], LABELS[:0])}, "at least one image"),
        ({"data": ({"picture": IMAGES}, LABELS)}, "a dict with 'image'"),
        (
            {"data": ({"image": IMAGES, "latent": LABELS[:3]}, LABELS)},
            "latents of `data` must have one entry",
        ),
    ],
)
def test_settings(settings, message):
    settings = {"attack": PGD, "data": (IMAGES, LABELS), **settings}
    with pytest.raises(ValueError, match=message):
        ij.training.RobustAccuracy(**settings)


@pytest.mark.parametrize(
    "data, message",
    [
        ((IMAGES, LABELS + 1), "classes from 0 to 2"),
        ((IMAGES, LABELS / 2), "must be whole numbers"),
        ((IMAGES, np.full((4, 2), 0.5)), "each of the model's 3 classes"),
        ((tiny.random_images(4, (6, 6, 2)), LABELS), "shape"),
    ],
)
def test_data_for_another_classifier(data, message):
    model = catalogue.make_model(ij.training.methods.Standard())
    before = model.get_weights()
    callback = ij.training.RobustAccuracy(PGD, data)
    with pytest.raises(ValueError, match=message):
        model.fit(IMAGES, LABELS, epochs=9, verbose=0, callbacks=[callback])
    for one, other in zip(before, model.get_weights()):
        np.testing.assert_array_equal(one, other)
