"""Lemma 1: without delta, the Joint Space Threat Model is the Neural
Perceptual Threat Model of the distance |G^-1(x^) - G^-1(x)|.

It is about G(z + lambda) before the clip to [0, 1], and holds up to what the
flow's inverse loses in float32; the norm here is Linf, that of the attack.
"""

import keras
import numpy as np
import pytest

import ijsat_tf as ij
from ijsat_tf import losses
from ijsat_tf.spaces import Joint, Latent, Linf
from tests import tiny

ETA = 0.3
IMAGES = tiny.random_images()
LABELS = np.array([0, 1, 2, 0, 1, 2])
INTERIOR, BORDER = IMAGES, np.round(IMAGES)


def distance(flow, images, others):
    """|G^-1(x^) - G^-1(x)| of all levels together, (B,)."""
    gaps = [
        np.abs(one - other).reshape(len(images), -1).max(axis=1)
        for one, other in zip(flow.encode(images), flow.encode(others))
    ]
    return np.max(gaps, axis=0)


def unclipped(flow, images, change):
    """G(G^-1(x) + lambda) + 0."""
    space = Joint(Latent(flow, Linf(ETA)), Linf(0))
    context = space.prepare(images, None)
    delta = np.zeros_like(images)
    return space.apply(images, [change, delta], context).numpy()


def random_change(flow, images):
    draws = np.random.default_rng(0)
    return [
        draws.uniform(-ETA, ETA, latent.shape).astype("float32")
        for latent in flow.encode(images)
    ]


@pytest.fixture(scope="module")
def classifier():
    keras.utils.set_random_seed(0)
    return tiny.make_classifier()


@pytest.fixture(scope="module")
def attacked(flow, classifier):
    attack = ij.attacks.JointSpaceAttack(
        flow, pixels=Linf(0), latent=Linf(ETA, step=0.1), steps=3
    )
    return attack(classifier, INTERIOR, LABELS)


def test_what_jsa_finds_is_in_the_perceptual_ball(flow, attacked):
    images = attacked.images.numpy()
    assert 0 < images.min() and images.max() < 1  # Nothing was clipped.
    used = distance(flow, images, INTERIOR)
    np.testing.assert_allclose(used, attacked.budget["latent"], atol=1e-4)
    assert np.all(used <= ETA + 1e-4) and np.any(used > 0.99 * ETA)
    np.testing.assert_array_equal(attacked.budget["pixels"], np.zeros(6))


@pytest.mark.parametrize("images", [INTERIOR, BORDER])
def test_the_joint_ball_is_in_the_perceptual_one(flow, images):
    change = random_change(flow, images)
    moved = unclipped(flow, images, change)
    length = np.max(
        [np.abs(part).reshape(6, -1).max(axis=1) for part in change], axis=0
    )
    latents = flow.encode(images)
    # `encode` takes images in [0, 1]; the bijector takes all.
    found = flow.bijector.inverse(moved)
    used = np.max(
        [
            np.abs(one - other).reshape(6, -1).max(axis=1)
            for one, other in zip(found, latents)
        ],
        axis=0,
    )
    np.testing.assert_allclose(used, length, atol=1e-4)
    if images is BORDER:
        # With the clip it would not hold.
        assert moved.min() < 0 or moved.max() > 1
        clipped = distance(flow, np.clip(moved, 0, 1), images)
        assert np.any(np.abs(clipped - length) > 1e-2)


def test_the_perceptual_ball_is_in_the_joint_one(flow, classifier):
    # Any images, made without the flow; lambda is read off.
    noise = np.random.default_rng(1).normal(size=IMAGES.shape, scale=0.01)
    others = (INTERIOR + noise).astype("float32")
    change = [
        one - other
        for one, other in zip(flow.encode(others), flow.encode(INTERIOR))
    ]
    length = distance(flow, others, INTERIOR)
    found = Linf(float(length.max())).project(change)
    again = unclipped(flow, INTERIOR, found)
    np.testing.assert_allclose(again, others, atol=1e-5)
    labels = np.eye(3, dtype="float32")[LABELS]
    np.testing.assert_allclose(
        losses.cross_entropy(labels, classifier(again)),
        losses.cross_entropy(labels, classifier(others)),
        atol=1e-4,
    )
