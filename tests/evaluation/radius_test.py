"""Accuracies over radii, against an evaluation of each radius alone."""

import numpy as np
import pytest

import ijsat_tf as ij
from ijsat_tf.attacks.attack import _attack
from tests import tiny

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
