"""Square in an L1 ball: the official moves, written out in NumPy."""

import itertools

import numpy as np
import tensorflow as tf

from ijsat_tf.attacks.autoattack.l1_windows import L1Windows
from ijsat_tf.attacks.autoattack.pyramid_windows import pyramids
from ijsat_tf.attacks.autoattack.windows import sides
from tests.spaces.l1_test import nearest

SEED = tf.constant([3, 4])
# Black, white and grey pixels.
IMAGES = np.random.default_rng(0).uniform(-0.3, 1.3, (4, 16, 16, 2))
IMAGES = IMAGES.clip(0, 1).astype("float32")


def test_starts_and_stays_in_the_ball_and_in_range():
    for radius in (0.5, 12.0, 200.0):
        windows = L1Windows(radius, tf.constant(IMAGES), 3000, SEED)
        best = windows.start()
        for query in (0, 20, 100, 700, 2999):
            asked = windows.propose(query, best, windows.of(tf.range(4)))
            assert np.min(asked) >= 0 and np.max(asked) <= 1
            norms = np.abs(np.float64(asked) - IMAGES).sum((1, 2, 3))
            assert np.all(norms <= radius)
            # At 200 the pyramids do not fill the ball.
            assert np.all(norms > 0.99 * radius) or radius == 200
            best = asked


def test_starts_from_five_by_five_pyramids():
    """Without a ball, each tile of 3 by 3 has the norm 1 in each channel."""
    grey = tf.fill([2, 16, 16, 2], 0.5)
    change = L1Windows(1e3, grey, 10, SEED).start().numpy() - 0.5
    assert np.all(change[:, 15] == 0) and np.all(change[:, :, 15] == 0)
    tiles = change[:, :15, :15].reshape(2, 5, 3, 5, 3, 2)
    np.testing.assert_allclose(np.abs(tiles).sum((2, 4)), 1, rtol=1e-5)


def test_moves_the_norm_of_one_window_into_another():
    windows = L1Windows(6.0, tf.constant(IMAGES), 3000, SEED)
    best = windows.start().numpy()
    for query in (5, 40, 150, 400, 2500):
        rows = tf.constant([2, 1])
        asked = windows.propose(
            query, tf.constant(best[[2, 1]]), windows.of(rows)
        )
        side = sides(3000, 16, 16, 3, True)[query]
        places = [
            np.s_[top : top + side, left : left + side]
            for top, left in windows.corners[query].numpy()
        ]
        masks = np.zeros((2, 16, 16, 1), bool)
        for mask, place in zip(masks, places):
            mask[place] = True
        pyramid = pyramids(side, order=1, decay=4)
        if windows.turned[query]:
            pyramid = pyramid.T
        for row, found in zip((2, 1), asked.numpy()):
            image, change = IMAGES[row], np.float64(best[row]) - IMAGES[row]
            left = max(6.0 - np.abs(change).sum(), 0)
            # The norm in both windows, per channel.
            budget = np.sum(np.abs(change) * masks.any(0), (0, 1))
            inside = change[places[0]]
            scaled = inside / (np.abs(inside).sum((0, 1)) + 1e-12)
            gaps = []
            for signs in itertools.product([1, -1], repeat=2):
                new = signs * pyramid[:, :, None] + scaled
                new *= (left / 2 + budget) * 2 / np.abs(new).sum((0, 1))
                expected = np.where(masks[1], 0, change)
                expected[places[0]] = new
                room = np.where(expected > 0, 1 - image, image)
                expected = nearest(expected, room, 6.0 * (1 - 1e-6))
                gaps.append(np.abs(found - image - expected).max())
            assert min(gaps) < 1e-5
        best[[2, 1]] = asked
