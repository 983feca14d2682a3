"""The search by larger radii against three official searches in NumPy."""

import numpy as np
import tensorflow as tf

from ijsat_tf import seeds
from ijsat_tf.attacks.autoattack import larger_radii
from ijsat_tf.attacks.autoattack.larger_radii import LargerRadii
from ijsat_tf.spaces import L1
from tests.attacks.autoattack.sparse_search_test import (
    IMAGES,
    LABELS,
    RADIUS,
    STEPS,
    look,
    loop,
    outcome,
)
from tests.spaces.l1_test import nearest


def test_steps_are_divided_as_in_the_official_code():
    assert larger_radii.phases(100) == (30, 30, 40)
    assert larger_radii.phases(5) == (2, 2, 1)
    for steps in range(1, 60):
        assert sum(larger_radii.phases(steps)) == steps
        assert min(larger_radii.phases(steps)) >= 0


def test_equals_three_searches_written_out():
    def rounded(samples, change):
        point, wrong = look(samples, change)
        return point._replace(loss=tf.cast(point.loss, tf.float32)), wrong

    search = LargerRadii(L1(RADIUS), STEPS)
    start = search.start(tf.constant(IMAGES), seeds.derive(0))
    samples = (tf.constant(IMAGES), tf.constant(LABELS))
    found = tf.function(search.climb, autograph=False)(rounded, samples, start)
    noise = seeds.normal(tf.constant(IMAGES), seeds.derive(0)).numpy()
    same = []
    for row, (image, label) in enumerate(zip(IMAGES, LABELS)):
        change = noise[row]
        for factor, steps in zip((3, 2, 1), (15, 15, 20)):
            room = np.where(change > 0, 1 - image, image)
            change = nearest(change, room, factor * RADIUS)
            windows, best, _ = loop(
                image, label, change, factor * RADIUS, steps, fresh=False
            )
            change = best[1]
        expected, wrong = outcome(windows, best)
        assert found.found[row] == wrong
        same.append(np.abs(found.change[row] - expected).max() < 1e-6)
    assert 0 < np.sum(found.found) < 8
    # In float32 two losses may be the same that differ in float64.
    assert np.mean(same) > 0.8
