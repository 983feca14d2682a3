"""Constants against the functions that take them, and what they change."""

import importlib
import inspect

import numpy as np
import pytest

import ijsat_tf as ij
from ijsat_tf.data import corruptions
from ijsat_tf.data.corruptions.severities import SEVERITIES
from tests.golden import make_corruptions

pytest.importorskip("scipy", reason="SciPy is not installed")
CORRUPTIONS = corruptions.CORRUPTIONS
DRAWN = make_corruptions.drawn()


def test_the_fifteen_of_the_paper_in_its_order():
    assert len(CORRUPTIONS) == 15
    assert CORRUPTIONS[:3] == ("gaussian_noise", "shot_noise", "impulse_noise")
    assert CORRUPTIONS[-2:] == ("pixelate", "jpeg_compression")
    assert set(corruptions.SUBSTITUTES) == {"frost"}


@pytest.mark.parametrize("file", SEVERITIES)
def test_functions_take_what_the_table_gives_them(file):
    module = importlib.import_module(f"ijsat_tf.data.corruptions.{file}")
    for name, constants in SEVERITIES[file].items():
        parameters = inspect.signature(getattr(module, name)).parameters
        assert ["image", "random", *constants] == list(parameters)
        assert {len(values) for values in constants.values()} == {5}


# The others trade one constant for another on their way from 1 to 5.
MONOTONE = (
    "gaussian_noise shot_noise impulse_noise defocus_blur motion_blur "
    "zoom_blur snow fog brightness contrast jpeg_compression"
).split()


@pytest.mark.parametrize("name", MONOTONE)
def test_a_higher_severity_changes_images_more(name):
    images = np.concatenate([DRAWN] * 6)
    changes = [
        np.square(ij.data.corrupt(images, name, severity) - 1.0 * images).mean()
        for severity in range(1, 6)
    ]
    assert (np.diff(changes) > 0).all()
