"""Square in an L2 ball: Algorithm 3, written out in NumPy."""

import numpy as np
import tensorflow as tf

from ijsat_tf.attacks.autoattack.l2_windows import L2Windows
from ijsat_tf.attacks.autoattack.pyramid_windows import pyramids
from ijsat_tf.attacks.autoattack.windows import sides

SEED = tf.constant([3, 4])


def test_l2_starts_and_stays_on_the_sphere():
    images = np.full((6, 32, 32, 3), 0.5, "float32")
    windows = L2Windows(0.5, tf.constant(images), 6000, SEED)
    known = windows.of(tf.range(6))
    best = windows.start()
    changed = (best - images).numpy()
    # 5 by 5 tiles of 6 by 6, the border left alone.
    assert np.all(changed[:, 1:31, 1:31] != 0)
    assert np.count_nonzero(changed) == 6 * 30 * 30 * 3
    for query in (0, 20, 100, 700, 5000):
        asked = windows.propose(query, best, known)
        length = np.linalg.norm(np.reshape(asked - images, (6, -1)), axis=1)
        np.testing.assert_allclose(length, 0.5, rtol=1e-5)
        best = asked


def test_l2_moves_the_norm_of_one_window_into_another():
    """Algorithm 3, written out for one image and channel in NumPy."""
    images = np.full((1, 32, 32, 1), 0.5, "float32")
    windows = L2Windows(0.5, tf.constant(images), 3000, SEED)
    best = windows.start().numpy()
    for query in (5, 40, 150, 400, 2500):
        asked = windows.propose(
            query, tf.constant(best), windows.of(tf.range(1))
        )
        side = sides(3000, 32, 32, 3, True)[query]
        (top, left), (other_top, other_left) = windows.corners[query].numpy()
        first = np.zeros((32, 32), bool)
        first[top : top + side, left : left + side] = True
        second = np.zeros((32, 32), bool)
        second[other_top : other_top + side, other_left : other_left + side] = 1
        change = np.float64((best - images)[0, :, :, 0])
        pyramid = pyramids(side)
        if windows.turned[query]:
            pyramid = pyramid.T
        inside = change[first].reshape(side, side)
        both = []
        for sign in (1, -1):
            new = sign * pyramid + inside / (np.linalg.norm(inside) + 1e-12)
            budget = max(0.25 - np.sum(change**2), 0)
            budget += np.sum(change[first | second] ** 2)
            expected = np.where(second, 0, change)
            new *= np.sqrt(budget) / np.linalg.norm(new)
            expected[first] = new.ravel()
            both.append(0.5 * expected / np.linalg.norm(expected))
        found = (asked - images)[0, :, :, 0]
        gap = min(np.abs(found - expected).max() for expected in both)
        assert gap < 1e-6
        best = asked.numpy()
