"""The sparse search against the official loop, written out in NumPy for one
sample of a network whose gradient is worked out by hand."""

import numpy as np
import tensorflow as tf

from ijsat_tf import seeds
from ijsat_tf.attacks.autoattack import sparse_search
from ijsat_tf.attacks.autoattack.apgd_search import Point
from ijsat_tf.attacks.autoattack.sparse_search import SparseSearch
from ijsat_tf.spaces import L1
from tests.spaces.l1_test import nearest

DRAWS = np.random.default_rng(7)
SHAPE = (6, 6, 1)
IMAGES = DRAWS.uniform(-0.2, 1.2, (8, *SHAPE)).clip(0, 1)
INNER, OUTER = DRAWS.normal(size=(36, 12)), DRAWS.normal(size=(12, 3))
STEPS, RADIUS = 50, 0.7


def logits_of(images):
    return np.tanh(images.reshape(-1, 36) @ INNER) @ OUTER


LABELS = logits_of(IMAGES).argmax(1)


def look(samples, change):
    """The cross entropy of tanh(x A) B, by TensorFlow."""
    images, labels = samples
    with tf.GradientTape() as tape:
        tape.watch(change)
        hidden = tf.tanh(tf.reshape(images + change, [-1, 36]) @ INNER)
        logits = hidden @ OUTER
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
    wrong = tf.argmax(logits, 1) != labels
    return Point(change, tape.gradient(loss, change), loss), wrong


def glance(image, change, label):
    """The loss, its slope by hand, and whether the network is wrong."""
    hidden = np.tanh((image + change).ravel() @ INNER)
    logits = hidden @ OUTER
    shares = np.exp(logits - logits.max())
    shares /= shares.sum()
    errors = shares - np.eye(3)[label]
    slope = INNER @ ((1 - hidden**2) * (OUTER @ errors))
    return (
        -np.log(shares[label]),
        slope.reshape(SHAPE),
        logits.argmax() != label,
    )


def loop(image, label, change, radius, steps, fresh=True):
    """The official search: every window of changes, and the best change."""
    size, every = np.float32(36), max(int(0.04 * steps), 1)
    count = size if fresh else np.float32(np.count_nonzero(change))
    share = np.float32(0.2) if fresh else count / size / np.float32(1.5)
    step = np.float32(radius)
    loss, slope, wrong = glance(image, change, label)
    best, windows, counts = (loss, change, slope), [[(change, wrong)]], []
    for number in range(steps):
        place = int(np.clip((1 - share) * size, 0, 35))
        large = np.abs(slope) >= np.sort(np.abs(slope).ravel())[place]
        moves = np.sign(slope) * large
        aim = change + float(step) * moves / np.abs(moves).sum()
        room = np.where(aim > 0, 1 - image, image)
        change = nearest(aim, room, radius)
        loss, slope, wrong = glance(image, change, label)
        windows[-1].append((change, wrong))
        if loss > best[0]:
            best = loss, change, slope
        if (number + 1) % every == 0:
            now = np.float32(np.count_nonzero(best[1]))
            fewer = now / count < np.float32(0.95)
            share, count = now / size / np.float32(1.5), now
            step = np.float32(radius) if fewer else step / np.float32(1.5)
            step = max(step, np.float32(radius / 10))
            if fewer:
                _, change, slope = best
            windows.append([])
            counts.append(now)
    return windows, best, counts


def outcome(windows, best):
    """The last wrong change of the first window with one, else the best."""
    for window in windows:
        wrong = [change for change, wrong in window if wrong]
        if wrong:
            return wrong[-1], True
    return best[1], False


def test_windows_are_those_of_the_official_code():
    assert sparse_search.windows(100) == [4] * 25
    assert sparse_search.windows(30) == [1] * 30
    assert sparse_search.windows(53) == [2] * 26 + [1]
    assert sparse_search.windows(0) == []


def test_equals_the_loop_written_out():
    search = SparseSearch(L1(RADIUS), STEPS)
    start = search.start(tf.constant(IMAGES), seeds.derive(0))
    noise = seeds.normal(tf.constant(IMAGES), seeds.derive(0)).numpy()
    climb = tf.function(search.climb, autograph=False)
    samples = (tf.constant(IMAGES), tf.constant(LABELS))
    found = climb(look, samples, start)
    on = climb(look, samples, start, until_found=False)
    counts = []
    for row, (image, label) in enumerate(zip(IMAGES, LABELS)):
        room = np.where(noise[row] > 0, 1 - image, image)
        change = nearest(noise[row], room, RADIUS)
        np.testing.assert_allclose(start[row], change, atol=1e-9)
        windows, best, numbers = loop(image, label, change, RADIUS, STEPS)
        expected, wrong = outcome(windows, best)
        assert found.found[row] == wrong
        np.testing.assert_allclose(found.change[row], expected, atol=1e-6)
        np.testing.assert_allclose(on.change[row], best[1], atol=1e-6)
        np.testing.assert_allclose(on.loss[row], best[0], rtol=1e-6)
        counts += numbers
    assert 0 < np.sum(found.found) < 8
    # The numbers of coordinates adapt.
    assert len(set(counts)) > 5
