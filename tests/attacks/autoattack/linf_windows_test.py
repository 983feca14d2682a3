"""The squares of Square in an Linf ball: Algorithm 2, and a slice in NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.attacks.autoattack.linf_windows import LinfWindows
from ijsat_tf.attacks.autoattack.windows import sides
from tests import tiny

SEED = tf.constant([3, 4])


@pytest.fixture
def noise():
    # Black and white pixels too.
    draw = np.random.default_rng(0).uniform(-0.5, 1.5, (6, *tiny.SHAPE))
    return np.clip(draw, 0, 1).astype("float32")


def test_linf_moves_only_to_the_border(noise):
    windows = LinfWindows(0.05, tf.constant(noise), 300, SEED)
    low, high = np.maximum(noise - 0.05, 0), np.minimum(noise + 0.05, 1)
    start = windows.start().numpy()
    known = windows.of(tf.range(6))
    assert np.all((start == low) | (start == high))
    # Each stripe has one sign from top to bottom.
    signs = np.sign(start - noise)
    free = (low > 0) & (high < 1)
    for row in range(1, 8):
        both = free[:, row] & free[:, 0]
        assert np.all((signs[:, row] == signs[:, 0])[both])
    drawn = set()
    for query in range(0, 300, 7):
        asked = windows.propose(query, tf.constant(noise), known).numpy()
        moved = asked != noise
        np.testing.assert_allclose(
            asked, np.where(moved, np.where(asked > noise, high, low), noise)
        )
        rows = np.flatnonzero(moved.any(axis=(0, 2, 3)))
        columns = np.flatnonzero(moved.any(axis=(0, 1, 3)))
        side = sides(300, 8, 8)[query]
        assert np.ptp(rows) == np.ptp(columns) == side - 1
        assert moved[:, rows[0] : rows[-1] + 1].any()
        # A sign a channel, shared by the batch.
        for channel in range(2):
            change = np.sign(asked - noise)[..., channel]
            assert len(np.unique(change[change != 0])) == 1
        drawn.add((rows[0], columns[0], side))
        # The last place is never drawn.
        assert rows[-1] < 7 or side == 8
    assert len(drawn) > 10


def test_a_square_goes_from_border_to_border(noise):
    """From the best image, a move reaches the border of its sign."""
    windows = LinfWindows(0.05, tf.constant(noise), 60, SEED)
    rows = np.array([4, 1])
    known = windows.of(tf.constant(rows))
    images = noise[rows]
    low, high = np.maximum(images - 0.05, 0), np.minimum(images + 0.05, 1)
    best = windows.start().numpy()[rows]
    for query in (0, 11, 25, 59):
        expected = best.copy()
        (top, left), side = windows.corners[query, 0], windows.sides[query]
        place = np.s_[:, top : top + side, left : left + side]
        up = windows.signs[query].numpy() > 0
        expected[place] = np.where(up, high[place], low[place])
        found = windows.propose(query, tf.constant(best), known)
        np.testing.assert_allclose(found, expected, atol=1e-7)
        best = expected
    assert {*np.unique(windows.signs)} == {-1, 1}
