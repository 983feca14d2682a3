"""The search with momentum against closed forms."""

import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf import seeds
from ijsat_tf.attacks.autoattack import momentum_search
from ijsat_tf.attacks.autoattack.apgd_search import Point
from ijsat_tf.attacks.autoattack.momentum_search import MomentumSearch
from ijsat_tf.spaces import L2, Linf


def test_windows_are_those_of_the_paper():
    assert momentum_search.windows(100) == [22, 19, 16, 13, 10, 7, 6, 6, 1]
    for steps in range(1, 60):
        assert sum(momentum_search.windows(steps)) == steps
        assert min(momentum_search.windows(steps)) >= 1


@pytest.mark.sampled
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
        return MomentumSearch(ball, 100).climb(look, (images, target), start)

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


@pytest.mark.parametrize("ball, order", [(Linf(0.1), np.inf), (L2(0.5), 2)])
def test_starts_on_the_border(images, ball, order):
    start = MomentumSearch(ball, 10).start(images, seeds.derive(0))
    norms = np.linalg.norm(np.reshape(start, (6, -1)), order, axis=1)
    np.testing.assert_allclose(norms, ball.radius, rtol=1e-5)
    black = MomentumSearch(ball, 10).start(0 * images, seeds.derive(0))
    assert np.min(black) == 0
