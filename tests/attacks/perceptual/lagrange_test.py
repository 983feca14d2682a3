"""The Lagrangian attacks against NumPy, where features are linear."""

import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf import seeds
from ijsat_tf.attacks import FastLagrangePerceptual, LagrangePerceptual
from ijsat_tf.attacks.perceptual.perceptual_ball import PerceptualBall
from tests.attacks.perceptual.perceptual_ball_test import (
    IMAGES,
    PHI,
    WEIGHTS,
    Linear,
    flat,
    length,
    model,
)

LABELS = np.array([0, 1, 2, 0, 1, 2, 0, 1])
TARGETED = [False, True]


def start(seed):
    draw = seeds.derive(seeds.derive(seed), "start")
    return IMAGES + 0.01 * seeds.normal(tf.constant(IMAGES), draw).numpy()


def margin(moved, targeted):
    """The margin of each row and its gradient."""
    logits = moved @ WEIGHTS
    own = np.eye(3)[LABELS]
    best = np.argmax(logits - 1e9 * own, axis=1)
    toward = np.eye(3)[best] - own
    sign = -1 if targeted else 1
    return sign * (logits * toward).sum(1), sign * toward @ WEIGHTS.T


def descend(moved, penalty, decay, cap, floor, targeted):
    """One step of the official code, for linear features."""
    bound, origin = 0.6, IMAGES.reshape(8, 9)
    gap = (moved - origin) @ PHI
    distance = length(gap)
    value, slope = margin(moved, targeted)
    slope = slope * (value < cap)[:, None]
    outside = distance > bound
    slope = slope - penalty * outside * (gap @ PHI.T) / distance
    direction = slope / (length(slope) + 1e-8)
    rate = length(0.1 * direction @ PHI) / 0.1
    step = bound * decay / (rate + floor)
    logits = moved @ WEIGHTS
    success = (logits.argmax(1) == LABELS) == targeted
    return np.clip(moved + step * direction, 0, 1), distance[:, 0], success


@pytest.mark.parametrize("targeted", TARGETED)
def test_fast_lagrange(targeted):
    moved = start(3).reshape(8, 9)
    for t in range(6):
        moved, *_ = descend(
            moved, 7 * 0.1 ** (1 - t / 6), 0.1 ** (t / 6), 1e9, 1e-4, targeted
        )
    attack = FastLagrangePerceptual(
        0.6, Linear(), steps=6, penalty=7, targeted=targeted
    )
    found = attack(model, IMAGES, LABELS, seed=3)
    np.testing.assert_allclose(flat(found.images), moved, atol=1e-5)
    used = length((moved - IMAGES.reshape(8, 9)) @ PHI)[:, 0]
    np.testing.assert_allclose(found.budget["perceptual"], used, rtol=1e-4)
    assert np.any(used > 0.6)


@pytest.mark.parametrize("targeted", TARGETED)
def test_lagrange(targeted, monkeypatch):
    moved = start(3).reshape(8, 9)
    penalty, live = np.full((8, 1), 0.01), np.ones(8, bool)
    for _ in range(4):
        for t in range(5):
            new, distance, success = descend(
                moved, penalty, 0.1 ** (t / 5), 1, 1e-8, targeted
            )
            moved = np.where(live[:, None], new, moved)
            before = live
            live = live & ~(success & (distance <= 0.6))
        penalty[before & (distance >= 0.6)] *= 10
    # Some rest early, some never, and penalties differ.
    assert 0 < live.sum() < 8 and len(np.unique(penalty)) > 1
    monkeypatch.setattr(PerceptualBall, "project", lambda ball, images: images)
    attack = LagrangePerceptual(
        0.6, Linear(), steps=5, rounds=4, targeted=targeted
    )
    found = attack(model, IMAGES, LABELS, seed=3).images
    np.testing.assert_allclose(flat(found), moved, atol=1e-5)
