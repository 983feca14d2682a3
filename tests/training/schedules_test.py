import numpy as np
import pytest

import ijsat_tf as ij


def test_rates_as_trades_counts_epochs():
    schedule = ij.training.step_drops(0.1, steps_per_epoch=10)
    for epoch in range(1, 121):
        rate = 0.1
        for drop in (75, 90, 100):
            if epoch >= drop:
                rate *= 0.1
        for step in ((epoch - 1) * 10, epoch * 10 - 1):
            np.testing.assert_allclose(schedule(step), rate, rtol=1e-5)


@pytest.mark.parametrize("epochs", [(90, 75), (5, 5), (1,), (0, 3)])
def test_bad_epochs(epochs):
    with pytest.raises(ValueError, match="`epochs`"):
        ij.training.step_drops(0.1, 10, epochs)


def test_no_drops():
    assert ij.training.step_drops(0.1, 10, ()) == 0.1
