"""The least change that fools a linear classifier, inside the box."""

import numpy as np

from tests import tiny

ORDERS = {"l1": 1, "l2": 2, "linf": np.inf}
WEIGHTS, MODEL = tiny.make_linear()
# Near the middle the box plays no part; the others have black and white
# pixels, and are farther from the boundary, three on either side.
INNER = 0.5 + 0.1 * (tiny.random_images() - 0.5)
OUTER = np.random.default_rng(0).uniform(-0.5, 1.5, INNER.shape)
OUTER[:3] -= 0.2 * np.sign(WEIGHTS)
OUTER[3:] += 0.2 * np.sign(WEIGHTS)
OUTER = np.clip(OUTER, 0, 1).astype("float32")


def labels_of(images):
    return np.argmax(MODEL(images), axis=1)


def lengths(norm, change):
    rows = np.reshape(change, (len(change), -1))
    return np.linalg.norm(rows, ORDERS[norm], axis=1)


def least_distances(norm, images):
    """min |d|_p with w . (x + d - 1/2) = 0 and x + d in [0, 1], by bisection.

    Each coordinate moves against the margin until it meets the border of the
    box: for L2 at the speed |w_i|, for Linf at the speed 1, and for L1 one
    after another, those of the largest |w_i| first.
    """
    weights = np.ravel(WEIGHTS).astype("float64")
    found = []
    for point in np.reshape(images, (len(images), -1)).astype("float64"):
        margin = weights @ (point - 0.5)
        room = np.where(margin * weights > 0, point, 1 - point)
        sizes = np.abs(weights)
        if norm == "l1":
            order = np.argsort(-sizes)
            gains = np.cumsum((sizes * room)[order])
            before = np.searchsorted(gains, abs(margin))
            left = abs(margin) - (gains[before - 1] if before else 0)
            last = left / sizes[order[before]]
            found.append(room[order[:before]].sum() + last)
            continue
        speed = sizes if norm == "l2" else np.ones_like(sizes)
        low, high = 0.0, 1e3
        for _ in range(80):
            time = (low + high) / 2
            moved = np.minimum(time * speed, room)
            short = sizes @ moved < abs(margin)
            low, high = (time, high) if short else (low, time)
        found.append(np.linalg.norm(moved, ORDERS[norm]))
    return np.array(found)
