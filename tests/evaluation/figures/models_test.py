"""Pictures that are made by models, read back from their files."""

import matplotlib.image
import numpy as np
import pytest

import ijsat_tf as ij
from ijsat_tf import evaluation
from tests import tiny

SHAPE = (8, 8, 1)  # Two channels could not be drawn.
IMAGES = tiny.random_images(4, SHAPE)
LABELS = np.array([0, 1, 2, 0])
BALL = ij.spaces.Linf(0.05, step=0.02)
LATENT = ij.spaces.Linf(0.1, step=0.05)


def picture(path):
    found = matplotlib.image.imread(path)[..., :3]
    assert found.std() > 0.05
    return found


@pytest.fixture(scope="module")
def flow():
    flow = ij.flows.Glow(SHAPE, levels=2, steps=1, hidden=8)
    flow.initialize(tiny.random_images(32, SHAPE))
    return flow


@pytest.fixture
def classifier():
    return tiny.make_classifier(shape=SHAPE)


@pytest.fixture(scope="module")
def jsa(flow):
    return ij.attacks.JointSpaceAttack(flow, BALL, LATENT, steps=1)


def test_the_pipeline_shows_two_images_and_their_mixture(
    jsa, classifier, tmp_path
):
    path = tmp_path / "pipeline.png"
    evaluation.pipeline(classifier, jsa, IMAGES[:2], LABELS[:2], path)
    height, width, _ = picture(path).shape
    assert width > 2 * height
    with pytest.raises(ValueError, match="must be two"):
        evaluation.pipeline(classifier, jsa, IMAGES[:3], LABELS[:3], path)


def test_levels_and_radii_are_a_grid(flow, classifier, tmp_path):
    sizes = []
    for etas in ((0.1,), (0.1, 0.2)):
        path = tmp_path / "levels.png"
        evaluation.attacked_levels(
            classifier, flow, IMAGES[0], 0, path, etas, steps=1
        )
        sizes.append(picture(path).shape)
    assert sizes[1][0] == 2 * sizes[0][0] and sizes[1][1] == sizes[0][1]
    with pytest.raises(ValueError, match="at least one radius"):
        evaluation.attacked_levels(classifier, flow, IMAGES[0], 0, path, ())


def test_heat_maps_have_a_row_a_model_and_a_column_an_attack(
    classifier, tmp_path
):
    path = tmp_path / "heat.png"
    attacks = {"PGD": ij.attacks.PGD(BALL, 1), "FGSM": ij.attacks.FGSM(BALL)}
    evaluation.heat_maps({"one": classifier}, attacks, IMAGES[0], 0, path)
    height, width, _ = picture(path).shape
    assert width > 2 * height
    with pytest.raises(ValueError, match="at least one classifier"):
        evaluation.heat_maps({}, attacks, IMAGES[0], 0, path)


def test_classes_are_named(jsa, classifier, tmp_path):
    names = ["cat", "dog", "frog"]
    path = tmp_path / "named.svg"
    evaluation.heat_maps(
        {"one": classifier}, {}, IMAGES[0], 0, path, class_names=names
    )
    found = names[int(np.argmax(classifier(IMAGES[:1])))]
    assert f"<!-- {found}" in path.read_text()
    evaluation.pipeline(
        classifier, jsa, IMAGES[:2], LABELS[:2], path, class_names=names
    )
    assert all(f"<!-- {name} -->" in path.read_text() for name in names)


def test_interpolations_end_in_the_images(flow, tmp_path):
    path = tmp_path / "lines.png"
    evaluation.interpolations(flow, IMAGES[:2], IMAGES[2:], path, columns=3)
    found = matplotlib.image.imread(path)[..., 0]
    side = found.shape[1] // 3
    assert found.shape[0] == 2 * side
    pixel = side // SHAPE[0]
    for line, (first, last) in enumerate(zip(IMAGES[:2], IMAGES[2:])):
        for column, image in ((0, first), (2, last)):
            block = found[line * side :, column * side :][:side, :side]
            middles = block[pixel // 2 :: pixel, pixel // 2 :: pixel]
            wanted = image[: len(middles), : len(middles), 0]
            np.testing.assert_allclose(middles, wanted, atol=0.02)
    with pytest.raises(ValueError, match="2 or more"):
        evaluation.interpolations(flow, IMAGES, IMAGES, path, columns=1)
