"""Images attacked at each level, read back from their files."""

import keras
import matplotlib.image
import numpy as np
import pytest

import ijsat_tf as ij
from ijsat_tf import evaluation
from tests import tiny

SHAPE = (8, 8, 1)  # Two channels could not be drawn.
IMAGES = tiny.random_images(4, SHAPE)


def picture(path):
    found = matplotlib.image.imread(path)[..., :3]
    assert found.std() > 0.05
    return found


@pytest.fixture(scope="module")
def flow():
    flow = ij.flows.Glow(SHAPE, levels=2, steps=1, hidden=8)
    flow.initialize(tiny.random_images(32, SHAPE))
    return flow


@pytest.fixture(scope="module")
def classifier():
    keras.utils.set_random_seed(0)
    return tiny.make_classifier(shape=SHAPE)


@pytest.fixture(scope="module")
def drawn(flow, classifier, tmp_path_factory):
    """One radius, as a PNG and as an SVG file."""
    folder = tmp_path_factory.mktemp("levels")
    paths = [folder / "levels.png", folder / "levels.svg"]
    evaluation.attacked_levels(
        classifier, flow, IMAGES[0], 0, paths, (0.1,), steps=1
    )
    return paths


def test_levels_and_radii_are_a_grid(drawn, flow, classifier, tmp_path):
    path = tmp_path / "levels.png"
    evaluation.attacked_levels(
        classifier, flow, IMAGES[0], 0, path, (0.1, 0.2), steps=1
    )
    one, two = picture(drawn[0]).shape, picture(path).shape
    assert two[0] == 2 * one[0] and two[1] == one[1]
    with pytest.raises(ValueError, match="at least one radius"):
        evaluation.attacked_levels(classifier, flow, IMAGES[0], 0, path, ())


def test_differences_are_those_of_an_attack_at_the_level(
    drawn, flow, classifier
):
    text = drawn[1].read_text()
    assert "<!-- level 1 -->" in text and "<!-- level 2 -->" in text
    ball = ij.spaces.Linf(0.1, step=0.025)
    attacks = [
        ij.attacks.OnManifoldPGD(flow, ball, 1, levels=[level])
        for level in (1, 2)
    ]
    found = [
        attack(classifier, IMAGES[:1], np.array([0]), seed=0).images
        for attack in attacks
    ]
    # Half of the range of greys over one of a hundred differences.
    sizes = np.abs(np.concatenate(found) - IMAGES[:1])
    factor = 0.5 / np.quantile(sizes[sizes > 0], 0.99)
    shown = f"{factor:.{0 if factor >= 10 else 1}f}"
    assert text.count(f"<!-- difference x {shown} -->") == 1
