"""The search of APGD against closed forms, and how often it looks."""

import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.attacks.autoattack import apgd_search
from ijsat_tf.attacks.autoattack.apgd_search import Point
from ijsat_tf.spaces import L2, Linf


def test_windows_are_those_of_the_paper():
    assert apgd_search.windows(100) == [22, 19, 16, 13, 10, 7, 6, 6, 1]
    for steps in range(1, 60):
        assert sum(apgd_search.windows(steps)) == steps
        assert min(apgd_search.windows(steps)) >= 1


@pytest.mark.parametrize("ball", [Linf(0.1), L2(0.5)])
def test_climbs_to_the_nearest_point_of_the_ball(images, ball):
    """The loss -|x' - t|^2 is highest where t is projected to."""
    draws = np.random.default_rng(3).normal(size=images.shape, scale=0.15)
    # Some targets are inside the ball, and some outside.
    share = np.array([0.1, 0.2, 0.4, 1, 2, 4])[:, None, None, None]
    target = (images + share * draws).astype("float32")

    def look(samples, change):
        images, target = samples
        gap = target - images - change
        loss = -tf.reduce_sum(tf.square(gap), [1, 2, 3])
        return Point(change, 2 * gap, loss), tf.zeros_like(loss, tf.bool)

    @tf.function
    def climbed(images, target):
        start = tf.zeros_like(images)
        return apgd_search.climb(look, ball, (images, target), start, 100)

    found = climbed(images, target)
    wished = np.float64(target) - images
    if isinstance(ball, Linf):
        expected = wished.clip(-0.1, 0.1)
    else:
        length = np.sqrt(np.sum(wished**2, (1, 2, 3), keepdims=True))
        expected = wished * np.minimum(1, 0.5 / length)
        assert 0 < np.sum(length > 0.5) < 6
    expected = (images + expected).clip(0, 1) - images
    np.testing.assert_allclose(found.change, expected, atol=0.004)
    loss = -np.sum((found.change - wished) ** 2, (1, 2, 3))
    np.testing.assert_allclose(found.loss, loss, rtol=1e-4)
    assert not np.any(found.found)


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
    found = apgd_search.climb(look, Linf(0.1), samples, start, 100)
    # The windows are 22, 19, 16, ... steps long; the start is one more look.
    assert sizes == [3] * 23 + [2] * 19 + [1] * 59
    np.testing.assert_array_equal(found.found, [True, True, False])
    # The last change that was wrong, and else the best one.
    np.testing.assert_array_equal(found.change[0], changes[22][0])
    np.testing.assert_array_equal(found.change[1], changes[41][0])
    np.testing.assert_allclose(found.change[2], 0.1, rtol=1e-6)
