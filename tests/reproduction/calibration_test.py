"""reproduction/calibration.py: the radius that the rule chooses."""

import numpy as np
import pytest

from tests import tiny
from tests.evaluation.synthetic import record


def records_of(radii, on_manifold, joint):
    """Of 1,000 images: 800 right, 400 under PGD-20, and so many left."""
    right = {"standard": 800, "pgd20": 400}
    for radius, first, second in zip(radii, on_manifold, joint):
        right[f"om_pgd50_{radius}"] = first
        right[f"jsa50_{radius}"] = second
    return {
        name: record(np.arange(1000) < count) for name, count in right.items()
    }


@pytest.mark.parametrize(
    "on_manifold, joint, chosen",
    [
        # 0.938 of 800 is 750.4, 0.917 of 400 is 366.8.
        ([790, 780, 751, 740, 600, 300], [390, 380, 367, 367, 200, 100], 0.003),
        ([790, 780, 751, 740, 600, 300], [390, 380, 366, 300, 200, 100], 0.002),
        ([790, 750, 750, 740, 600, 300], [390, 380, 370, 370, 370, 370], 0.001),
        ([800] * 6, [400] * 6, 0.02),
        ([700] * 6, [400] * 6, None),
    ],
)
def test_the_largest_radius_that_meets_both(
    imported, on_manifold, joint, chosen
):
    calibration = imported("calibration")
    records = records_of(calibration.RADII, on_manifold, joint)
    assert calibration.calibrated(records) == chosen
    text = calibration.to_markdown(records)
    assert text.count("| yes") == sum(
        first >= 750.4 and second >= 366.8
        for first, second in zip(on_manifold, joint)
    )
    if chosen is None:
        assert "No radius meets both" in text and "0.001" in text
    else:
        assert text.endswith(f"The calibrated radius is {chosen}.")


def test_its_attacks_are_those_of_the_table(imported):
    calibration = imported("calibration")
    found = calibration.attacks(tiny.make_flow())
    columns = records_of(calibration.RADII, [1] * 6, [1] * 6).keys()
    assert {*found} == {*columns} - {"standard"}
    attack = found["jsa50_0.003"]
    assert attack.steps == 50
    assert "0.00075" in repr(attack.latent) and "0.003" in repr(attack.latent)
