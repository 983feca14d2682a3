"""The pyramids of Square against piles of squares, and the base class."""

import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.attacks.autoattack.pyramid_windows import PyramidWindows, pyramids

KINDS = [(2, 2), (1, 4)]


@pytest.mark.parametrize("order, decay", KINDS)
def test_pyramids_have_norm_one_and_two_signs(order, decay):
    for side in (1, 2, 3, 5, 8, 29):
        found = pyramids(side, order, decay)
        norm = np.linalg.norm(found.ravel(), order)
        assert norm == pytest.approx(1)
        assert np.all(found[: side // 2] > 0)
        assert np.all(found[side // 2 :] < 0)
    # 1 + 1/4 + 1/9 on top, 1/4 + 1/9 and 1/9 around, by hand.
    heights = 1 / np.array([3, 2, 1]) ** decay
    ring = np.cumsum(heights)
    upper = pyramids(5, order, decay)[:2]
    expected = ring[[[0, 1, 1, 1, 0], [0, 1, 2, 1, 0]]]
    np.testing.assert_allclose(upper / upper.max(), expected / expected.max())


@pytest.mark.parametrize("order, decay", KINDS)
def test_pyramids_are_piles_of_squares(order, decay):
    """Squares around the middle, each 1 / n^k high, as in the official code."""

    def pile(height, width):
        found = np.zeros([height, width])
        row, column = height // 2, width // 2
        for n in range(max(row, column) + 1):
            found[
                max(row - n, 0) : row + n + 1,
                max(column - n, 0) : column + n + 1,
            ] += 1 / (n + 1) ** decay
        return found / np.linalg.norm(found.ravel(), order)

    for side in (2, 3, 4, 7, 12):
        both = [pile(side // 2, side), -pile(side - side // 2, side)]
        expected = np.concatenate(both) / 2 ** (1 / order)
        np.testing.assert_allclose(pyramids(side, order, decay), expected)


def test_another_norm_says_what_it_lacks():
    images = tf.fill([1, 8, 8, 1], 0.5)
    windows = PyramidWindows(0.1, images, 5, tf.constant([0, 0]))
    for call in (
        lambda: windows.sums(images),
        lambda: windows.root(images),
        lambda: windows.unused(images),
        lambda: windows.fit(images, images),
    ):
        with pytest.raises(NotImplementedError):
            call()
