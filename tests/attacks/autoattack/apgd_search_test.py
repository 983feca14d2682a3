"""How often the search of APGD looks, and what it returns."""

import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.attacks.autoattack.apgd_search import Point
from ijsat_tf.attacks.autoattack.momentum_search import MomentumSearch
from ijsat_tf.attacks.autoattack.sparse_search import SparseSearch
from ijsat_tf.spaces import L1, Linf


def test_what_is_wrong_leaves_at_the_end_of_its_window(images):
    sizes, changes = [], []

    def look(samples, change):
        """The first is always wrong, the second from look 30, the third not."""
        sizes.append(len(change))
        changes.append(change.numpy())
        (names,) = samples[1:]
        since = tf.gather([0, 30, 1000], names)
        loss = tf.reduce_sum(change, [1, 2, 3])
        return Point(change, tf.ones_like(change), loss), len(sizes) > since

    samples = (tf.constant(images[:3]), tf.range(3))
    start = tf.zeros_like(samples[0])
    found = MomentumSearch(Linf(0.1), 100).climb(look, samples, start)
    # The windows are 22, 19, 16, ... steps long; the start is one more look.
    assert sizes == [3] * 23 + [2] * 19 + [1] * 59
    np.testing.assert_array_equal(found.found, [True, True, False])
    # The last change that was wrong, and else the best one.
    np.testing.assert_array_equal(found.change[0], changes[22][0])
    np.testing.assert_array_equal(found.change[1], changes[41][0])
    np.testing.assert_allclose(found.change[2], 0.1, rtol=1e-6)


@pytest.mark.parametrize("search", [MomentumSearch, SparseSearch])
def test_without_an_end_all_stay_and_the_best_is_the_outcome(images, search):
    sizes = []

    def look(samples, change):
        sizes.append(len(change))
        loss = tf.reduce_sum(change, [1, 2, 3])
        return Point(change, tf.ones_like(change), loss), loss > -1e9

    ball = L1(0.5) if search is SparseSearch else Linf(0.1)
    start = tf.zeros_like(images)
    found = search(ball, 20).climb(look, (images,), start, until_found=False)
    assert sizes == [6] * 21
    assert not np.any(found.found)
    best = 0.5 if search is SparseSearch else 0.1 * images[0].size
    np.testing.assert_allclose(found.loss, best, rtol=1e-5)
    np.testing.assert_allclose(
        np.sum(found.change, (1, 2, 3)), found.loss, rtol=1e-6
    )
