import keras
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


@pytest.mark.variant
@pytest.mark.parametrize(("epochs", "steps"), [(150, 390), (30, 7), (10, 3)])
def test_rates_as_rlat_counts_shares(epochs, steps):
    schedule = ij.training.share_drops(0.1, epochs * steps)
    for step in range(0, epochs * steps, 1 if epochs < 150 else 13):
        epoch, place = divmod(step, steps)
        passed = (epoch + (place + 1) / steps) / epochs
        rate = 0.1 if passed < 0.34 else 0.01 if passed < 0.67 else 0.001
        np.testing.assert_allclose(schedule(step), rate, rtol=1e-5)
    # Epoch 51 ends at exactly 0.34 of 150.
    if epochs == 150:
        assert float(schedule(51 * steps - 2)) > 0.09
        assert float(schedule(51 * steps - 1)) < 0.02


def test_no_shares():
    assert ij.training.share_drops(0.1, 10, ()) == 0.1


@pytest.mark.parametrize("shares", [(0.7, 0.3), (0.5, 0.5), (0,), (1.0,)])
def test_bad_shares(shares):
    with pytest.raises(ValueError, match="`shares`"):
        ij.training.share_drops(0.1, 100, shares)
    with pytest.raises(ValueError, match="`steps`"):
        ij.training.share_drops(0.1, 1)


CYCLIC = (0, 1, 6, 12, 15, 20), (0, 0.4, 0.04, 0.004, 0.0004, 0.0001)
NORMAL = (*CYCLIC[0], 30, 40), (*CYCLIC[1], 0.0001, 0.00001)


@pytest.mark.sampled
@pytest.mark.parametrize("table", [CYCLIC, NORMAL])
def test_rates_as_dmat_interpolates_them(table):
    schedule = ij.training.PiecewiseLinear(10, *table)
    copy = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(schedule)
    )
    for step in range(table[0][-1] * 10 + 5):
        expected = np.interp((step + 1) / 10, *table)
        np.testing.assert_allclose(schedule(step), expected, rtol=1e-4)
        np.testing.assert_array_equal(schedule(step), copy(step))


def test_the_cyclic_table_is_the_default():
    given = ij.training.PiecewiseLinear(10, *CYCLIC)
    assert ij.training.PiecewiseLinear(10).get_config() == given.get_config()


@pytest.mark.parametrize(
    ("epochs", "rates", "name"),
    [((0,), (1,), "epochs"), ((0, 0), (1, 1), "epochs"), ((0, 1), (1,), "rat")],
)
def test_bad_tables(epochs, rates, name):
    with pytest.raises(ValueError, match=f"`{name}"):
        ij.training.PiecewiseLinear(10, epochs, rates)


def test_an_optimizer_follows_them():
    """Inside its step, where iterations are a variable."""
    for schedule in (
        ij.training.PiecewiseLinear(1, (0, 2), (0, 1)),
        ij.training.WarmUp(1.0, 2),
    ):
        weight = keras.Variable(0.0)
        optimizer = ij.training.SGD(schedule, momentum=0.0)
        for expected in (-0.5, -1.5, -2.5):
            optimizer.apply([np.float32(1)], [weight])
            np.testing.assert_allclose(weight.numpy(), expected, rtol=1e-6)


def test_fast_pats_warm_up():
    """Linear over 5 epochs, then drops at 75 and 90, counted from 0."""
    steps = 10
    drops = ij.training.step_drops(0.1, steps, epochs=(76, 91))
    schedule = ij.training.WarmUp(drops, 5 * steps)
    for step in range(100 * steps):
        rate = 0.1 * 0.1 ** sum(step // steps >= drop for drop in (75, 90))
        if step // steps < 5:
            rate = (step + 1) / (5 * steps) * 0.1
        np.testing.assert_allclose(schedule(step), rate, rtol=1e-5)
