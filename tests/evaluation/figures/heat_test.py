"""Heat maps, read back from their files."""

import keras
import matplotlib.image
import numpy as np
import pytest

import ijsat_tf as ij
from ijsat_tf import evaluation
from tests import tiny

SHAPE = (8, 8, 1)  # Two channels could not be drawn.
IMAGES = tiny.random_images(4, SHAPE)
BALL = ij.spaces.Linf(0.05, step=0.02)


@pytest.fixture
def classifier():
    return tiny.make_classifier(shape=SHAPE)


def test_heat_maps_have_a_row_a_model_and_a_column_an_attack(
    classifier, tmp_path
):
    path = tmp_path / "heat.png"
    attacks = {"PGD": ij.attacks.PGD(BALL, 1), "FGSM": ij.attacks.FGSM(BALL)}
    evaluation.heat_maps({"one": classifier}, attacks, IMAGES[0], 0, path)
    height, width, _ = matplotlib.image.imread(path).shape
    assert width > 2 * height
    with pytest.raises(ValueError, match="at least one classifier"):
        evaluation.heat_maps({}, attacks, IMAGES[0], 0, path)


def test_the_first_column_is_the_images_own(classifier, tmp_path):
    with pytest.raises(ValueError, match="name of the first column"):
        evaluation.heat_maps(
            {"net": classifier},
            {"original": ij.attacks.FGSM(ij.spaces.Linf(0.1))},
            tiny.random_images()[0],
            0,
            tmp_path / "heat.png",
        )


def test_classes_are_named(classifier, tmp_path):
    names = ["cat", "dog", "frog"]
    path = tmp_path / "named.svg"
    evaluation.heat_maps(
        {"one": classifier}, {}, IMAGES[0], 0, path, class_names=names
    )
    found = names[int(np.argmax(classifier(IMAGES[:1])))]
    assert f"<!-- {found}" in path.read_text()


def test_all_maps_have_one_scale(classifier, tmp_path):
    path = tmp_path / "scale.svg"
    attacks = {"PGD": ij.attacks.PGD(BALL, 1)}
    evaluation.heat_maps({"one": classifier}, attacks, IMAGES[0], 0, path)
    for end in ("least", "most"):
        assert path.read_text().count(f"<!-- {end} -->") == 1


def test_a_wrong_class_is_marked(classifier, tmp_path):
    path = tmp_path / "wrong.svg"
    predicted = int(np.argmax(classifier(IMAGES[:1])))
    for label in range(3):
        evaluation.heat_maps({"one": classifier}, {}, IMAGES[0], label, path)
        wrong = f"<!-- {predicted} (wrong) -->" in path.read_text()
        assert wrong == (label != predicted)


def test_heat_is_light_where_the_network_looks(tmp_path):
    """Class 1 is the mean of what is bright; the right half alone is."""
    inputs = keras.Input(SHAPE)
    x = keras.layers.Conv2D(1, 1, use_bias=False, name="bright")(inputs)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(inputs, keras.layers.Dense(2, use_bias=False)(x))
    model.set_weights([np.ones((1, 1, 1, 1)), np.float32([[-1, 1]])])
    image = np.zeros(SHAPE, "float32")
    image[:, 4:] = 0.5
    path = tmp_path / "half.png"
    evaluation.heat_maps({"one": model}, {}, image, 1, path)
    picture = matplotlib.image.imread(path)[..., :3]
    # Black and inferno's black on the left; on the right 0.65 of inferno's
    # last colour, #fcffa4, over 0.35 of a grey of 0.5.
    last = np.array([0xFC, 0xFF, 0xA4]) / 255
    for shade in (np.zeros(3), 0.65 * last + 0.35 * 0.5):
        near = np.abs(picture - shade).max(-1) < 0.02
        columns = np.nonzero(near.sum(0) > 0.3 * len(picture))[0]
        assert np.ptp(columns) > 30
        assert (columns.mean() > picture.shape[1] / 2) == (shade[0] > 0)
