"""The steps of IJSAT, read back from their files."""

import importlib

import keras
import matplotlib.image
import numpy as np
import pytest
from matplotlib.figure import Figure

import ijsat_tf as ij
from ijsat_tf import evaluation
from ijsat_tf.evaluation.figures.pipeline import _bars
from tests import tiny

SHAPE = (8, 8, 1)  # Two channels could not be drawn.
IMAGES = tiny.random_images(4, SHAPE)
LABELS = np.array([0, 1, 2, 0])


@pytest.fixture(scope="module")
def classifier():
    keras.utils.set_random_seed(0)
    return tiny.make_classifier(shape=SHAPE)


@pytest.fixture(scope="module")
def jsa():
    flow = ij.flows.Glow(SHAPE, levels=2, steps=1, hidden=8)
    flow.initialize(tiny.random_images(32, SHAPE))
    balls = [ij.spaces.Linf(radius, step=0.05) for radius in (0.05, 0.1)]
    return ij.attacks.JointSpaceAttack(flow, *balls, steps=1)


def test_the_pipeline_shows_two_images_and_their_mixture(
    jsa, classifier, tmp_path
):
    path = tmp_path / "pipeline.png"
    evaluation.pipeline(classifier, jsa, IMAGES[:2], LABELS[:2], path)
    picture = matplotlib.image.imread(path)[..., :3]
    height, width, _ = picture.shape
    assert picture.std() > 0.05
    assert width > 2 * height
    with pytest.raises(ValueError, match="must hold two images"):
        evaluation.pipeline(classifier, jsa, IMAGES[:3], LABELS[:3], path)


def test_latents_of_all_levels_have_one_scale(jsa, classifier, monkeypatch):
    figures = []
    # The package has the function under the name of its module.
    module = importlib.import_module("ijsat_tf.evaluation.figures.pipeline")
    monkeypatch.setattr(
        module, "save", lambda figure, *_: figures.append(figure)
    )
    evaluation.pipeline(classifier, jsa, IMAGES[:2], LABELS[:2], "-", 1.0)
    shown = [
        image
        for axis in figures[0].axes
        for image in axis.get_images()
        if image.get_cmap().name == "coolwarm"
    ]
    latents = jsa.flow.encode(IMAGES[:1])
    most = max(np.abs(latent).max() for latent in latents)
    assert len(shown) == len(latents) == 2
    for image in shown:
        np.testing.assert_allclose(image.get_clim(), (-most, most), rtol=1e-5)


def test_classes_are_named(jsa, classifier, tmp_path):
    names = ["cat", "dog", "frog"]
    path = tmp_path / "named.svg"
    evaluation.pipeline(
        classifier, jsa, IMAGES[:2], LABELS[:2], path, class_names=names
    )
    assert all(f"<!-- {name} -->" in path.read_text() for name in names)


def test_bars_are_the_probabilities_of_the_ten_likeliest_classes():
    before, after = np.random.default_rng(0).dirichlet(np.ones(12), 2)
    axis = Figure().add_subplot()
    _bars(axis, before, after, [f"class {number}" for number in range(12)])
    ends = [[bar.get_width() for bar in bars] for bars in axis.containers]
    likely = [n for n in range(12) if n not in np.argsort(before + after)[:2]]
    np.testing.assert_array_equal(ends, [before[likely], after[likely]])
    shown = [label.get_text() for label in axis.get_yticklabels()]
    assert shown == [f"class {number}" for number in likely]
