"""Accuracies over radii, against an evaluation of each radius alone."""

import numpy as np
import pytest

import ijsat_tf as ij
from ijsat_tf.attacks.attack import _attack
from tests import tiny
from tests.evaluation import synthetic

IMAGES = tiny.random_images(12)
LABELS = np.zeros(12, int)
RADII = [0.0, 0.02, 0.05, 0.1]


def pgd(radius):
    return ij.attacks.PGD(ij.spaces.Linf(radius), steps=3)


def test_each_radius_is_an_evaluation_and_all_share_a_trace(tmp_path):
    model = tiny.make_classifier()
    data = IMAGES, np.argmax(model(IMAGES), axis=1)
    before = _attack.tracing_count()
    curve = ij.evaluation.radius_curve(
        model, data, pgd, RADII, 6, 3, tmp_path, verbose=False
    )
    assert _attack.tracing_count() == before + 1
    assert list(curve) == RADII and len(set(curve.values())) > 1
    for radius, accuracy in curve.items():
        found = ij.evaluation.evaluate(
            model, data, {"one": pgd(radius)}, 6, 3, verbose=False
        )
        assert accuracy == found["one"].correct.mean()
    assert _attack.tracing_count() == before + 1
    names = sorted(path.stem for path in tmp_path.iterdir())
    assert names == ["0.0", "0.02", "0.05", "0.1", "standard"]


def test_the_curve_of_a_linear_classifier_is_known():
    """Class 0 is kept where the margin exceeds the radius times |w|_1."""
    weights, model = tiny.make_linear()
    margins = -np.sum(weights * (IMAGES - 0.5), (1, 2, 3))
    reach = np.abs(margins) / np.abs(weights).sum()
    # Between two neighbours of the sorted margins, far from either.
    middles = np.sort(reach[margins > 0])
    radii = (middles[:-1] + middles[1:]) / 2
    curve = ij.evaluation.radius_curve(
        model,
        (IMAGES, LABELS),
        lambda radius: ij.attacks.FGSM(ij.spaces.Linf(radius)),
        radii,
        verbose=False,
    )
    expected = [np.mean((margins > 0) & (reach > each)) for each in radii]
    assert len(radii) > 1
    np.testing.assert_allclose(list(curve.values()), expected)


@pytest.mark.parametrize("radii", [[], [0.1, 0.1]])
def test_radii_are_different(radii):
    with pytest.raises(ValueError, match="`radii` must hold at least one"):
        ij.evaluation.radius_curve(None, (IMAGES, LABELS), pgd, radii)


def test_the_curve_of_distances_is_that_of_the_attacks_of_each_radius():
    """A linear classifier, whose least distance FGSM reaches too."""
    _, model = tiny.make_linear()
    fmn = ij.attacks.FastMinimumNorm("linf", steps=200)
    data = IMAGES, LABELS
    record = ij.evaluation.evaluate(model, data, {"fmn": fmn}, verbose=False)
    distances = np.sort(record["fmn"].budget["pixels"])
    assert distances[0] == 0 < distances[-1]  # Clean errors, and others.
    radii = [0.0, *np.unique((distances[:-1] + distances[1:]) / 2)[1:], 0.4]
    expected = ij.evaluation.radius_curve(
        model,
        data,
        lambda radius: ij.attacks.FGSM(ij.spaces.Linf(radius)),
        radii,
        verbose=False,
    )
    curve = ij.evaluation.distance_curve(record["fmn"], radii)
    assert curve == expected and len(set(curve.values())) > 3
    with pytest.raises(ValueError, match="which has 'pixels'.*'l2'"):
        ij.evaluation.distance_curve(record["fmn"], radii, "l2")
    with pytest.raises(ValueError, match="`radii` must hold at least one"):
        ij.evaluation.distance_curve(record["fmn"], [])


def test_a_record_that_is_not_complete_has_no_curve():
    found = synthetic.record(
        correct=np.zeros(3, bool), budget={"linf": np.ones(3)}, samples=5
    )
    with pytest.raises(ValueError, match="3 of 5 images"):
        ij.evaluation.distance_curve(found, [0.1], "linf")


def test_the_distance_of_an_image_that_stays_right_is_infinite():
    found = {"correct": np.array([True, False, False])}
    found["budget"] = {"linf": np.array([0.0, 0.0, 0.2], "float32")}
    curve = ij.evaluation.distance_curve(
        synthetic.record(**found), [0.0, 0.1, 9.0], "linf"
    )
    assert list(curve.values()) == [2 / 3, 2 / 3, 1 / 3]
