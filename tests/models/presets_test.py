"""The classifiers that come with the library."""

import re

import numpy as np
import pytest

import ijsat_tf as ij
from ijsat_tf.models import presets

NAMES = presets.names()


def column(card, heading):
    """A number of the card's table."""
    head, _, row = re.findall(r"^\|.*\|$", card, re.M)
    cells = [[cell.strip() for cell in line.split("|")] for line in (head, row)]
    return float(dict(zip(*cells, strict=True))[heading])


@pytest.mark.parametrize("name", NAMES)
def test_it_is_small_and_does_what_its_card_says(name):
    path = presets.path(name)
    assert path.stat().st_size < 4e6
    card = path.with_suffix(".md").read_text(encoding="utf-8")
    assert f'ij.models.from_preset("{name}")' in card
    images, labels = ij.data.samples("cifar10", 100)
    logits = ij.models.from_preset(name).predict(images, verbose=0)
    right = 100 * np.mean(logits.argmax(-1) == labels)
    # Four standard deviations of an accuracy of 100 images.
    assert abs(right - column(card, "standard")) < 20
    assert column(card, "AutoAttack") <= column(card, "PGD-20") + 3


def test_its_docstring_has_the_names():
    listed = re.findall(r'"(resnet18_\w+)"', ij.models.from_preset.__doc__)
    assert sorted(listed) == NAMES


def test_an_unknown_name_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="resnet18_cifar10_at_small.*'vgg'"):
        ij.models.from_preset("vgg")
