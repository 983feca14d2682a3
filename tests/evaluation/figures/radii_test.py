"""Curves over radii, read back from their files."""

import re

import numpy as np
import pytest

from ijsat_tf.evaluation import radius_curves


def test_points_lie_where_radius_and_accuracy_say(tmp_path):
    path = tmp_path / "radii.svg"
    radius_curves({"at": {0.2: 0.1, 0.0: 0.9, 0.1: 0.4}}, path)
    text = path.read_text()
    for label in ("Radius", "Robust accuracy (%)", "at"):
        assert f"<!-- {label} -->" in text
    blue = re.findall(r'x="([\d.]+)" y="([\d.]+)" style="fill: #0072b2', text)
    # The fourth one stands in the legend.
    (x, y) = np.array(blue[:3], float).T
    assert len(blue) == 4
    # From left to right, and rows are counted from above.
    np.testing.assert_allclose(np.diff(x), np.diff(x)[0], rtol=1e-3)
    assert x[0] < x[1] and (y[0] - y[1]) / (y[1] - y[2]) == pytest.approx(
        0.5 / 0.3, rel=1e-3
    )


@pytest.mark.parametrize("curves", [{}, {"at": {0.1: 0.5}, "none": {}}])
def test_nothing_to_draw(curves, tmp_path):
    with pytest.raises(ValueError, match="at least one radius"):
        radius_curves(curves, tmp_path / "radii.png")
    assert not list(tmp_path.iterdir())
