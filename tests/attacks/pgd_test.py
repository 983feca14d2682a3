"""Gradient attacks against closed forms on linear and affine maps.

For logits (0, w . x + b) an attack on class 0 gains at most the radius times
the dual norm of w, one on class 1 loses as much; a freshly made flow is
affine, x = A z + c, and so gains by the dual norm of A^T w.
"""

import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.attacks import FGSM, PGD, MomentumPGD, OnManifoldPGD
from ijsat_tf.spaces import L2, Joint, Linf, Pixels
from tests import tiny

WEIGHTS, MODEL = tiny.make_linear()
LABELS = np.array([0, 1, 0, 1, 0, 1])
# Away from the image, the direction of a large margin is the same for all.
SIGN = np.where(LABELS == 0, 1, -1)
L1, EUCLIDEAN = np.abs(WEIGHTS).sum(), np.linalg.norm(WEIGHTS)


def _gains(attack, images, **options):
    """How much farther the margin goes against the label's class."""
    result = attack(MODEL, images, LABELS, **options)
    assert 0 < np.min(result.images) < np.max(result.images) < 1
    change = result.images - images
    return SIGN * np.sum(WEIGHTS * change, (1, 2, 3)), result


@pytest.mark.sampled
@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize(
    "kind, options",
    [
        (FGSM, {}),
        (PGD, {}),
        (PGD, {"steps": 7, "restarts": 2}),
        (MomentumPGD, {}),
        (MomentumPGD, {"momentum": 0.5}),
    ],
)
def test_linf_gains_the_radius_times_the_l1_norm(
    images, kind, options, targeted
):
    attack = kind(Linf(0.05), targeted=targeted, **options)
    gains, result = _gains(attack, images)
    expected = (-1 if targeted else 1) * 0.05 * L1
    # The corner is reached exactly; what remains is float32.
    np.testing.assert_allclose(gains, expected, rtol=1e-5)
    np.testing.assert_allclose(result.budget["pixels"], 0.05, rtol=1e-6)


@pytest.mark.sampled
@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("kind", [FGSM, PGD, MomentumPGD])
def test_l2_gains_the_radius_times_the_l2_norm(images, kind, targeted):
    # With a step as long as the radius, each update at least halves the
    # angle to w (once it is small), and the gain is its cosine.
    attack = kind(L2(0.5, step=0.5), targeted=targeted)
    gains, result = _gains(attack, images)
    expected = (-1 if targeted else 1) * 0.5 * EUCLIDEAN
    np.testing.assert_allclose(gains, expected, rtol=1e-5)
    np.testing.assert_allclose(result.budget["pixels"], 0.5, rtol=1e-5)


@pytest.mark.parametrize("space", [Linf(0.05, 0.01), Pixels(Linf(0.05, 0.01))])
def test_fgsm_steps_to_the_border_whatever_the_ball_s_step(images, space):
    result = FGSM(space)(MODEL, images, LABELS)
    expected = images + 0.05 * _each(SIGN) * np.sign(WEIGHTS)
    np.testing.assert_allclose(result.images, expected, atol=1e-6)


def _each(numbers):
    return numbers[:, None, None, None]


@pytest.mark.parametrize("kind", [FGSM, PGD, MomentumPGD])
@pytest.mark.parametrize("ball", [Linf(0.1), L2(1.0)])
def test_at_black_and_white_images_stay_in_range(kind, ball):
    images = np.float32([0, 1, 0, 1, 0.04, 0.97])[:, None, None, None]
    images = np.tile(images, (1, *tiny.SHAPE))
    result = kind(ball)(MODEL, images, LABELS)
    assert np.min(result.images) == 0 and np.max(result.images) == 1
    if isinstance(ball, Linf):
        expected = images + 0.1 * _each(SIGN) * np.sign(WEIGHTS)
        np.testing.assert_allclose(
            result.images, np.clip(expected, 0, 1), atol=1e-6
        )


@pytest.mark.parametrize("kind", [FGSM, PGD, MomentumPGD])
@pytest.mark.parametrize("ball", [Linf(0), L2(0)])
def test_a_radius_of_zero_returns_the_images(images, kind, ball):
    result = kind(ball)(MODEL, images, LABELS)
    np.testing.assert_array_equal(result.images, images)
    np.testing.assert_array_equal(result.budget["pixels"], 0)


@pytest.mark.parametrize("ball", [Linf(0.1), L2(1.0)])
def test_the_budget_is_the_distance_of_the_images(ball):
    noise = np.random.default_rng(0).random((6, *tiny.SHAPE), "float32")
    result = PGD(ball, steps=3)(MODEL, noise, LABELS)
    rows = (result.images - noise).numpy().reshape(6, -1)
    order = np.inf if isinstance(ball, Linf) else 2
    norms = np.linalg.norm(rows, order, axis=1)
    np.testing.assert_allclose(result.budget["pixels"], norms, rtol=1e-5)
    assert np.all(norms <= ball.radius + 1e-6)


def test_a_chain_of_two_balls_gains_the_sum(images):
    attack = PGD(Joint(Linf(0.05), Linf(0.02)))
    gains, result = _gains(attack, images)
    np.testing.assert_allclose(gains, 0.07 * L1, rtol=1e-5)
    np.testing.assert_allclose(result.budget["pixels"], 0.05, rtol=1e-6)
    np.testing.assert_allclose(result.budget["pixels2"], 0.02, rtol=1e-6)


@pytest.mark.sampled
@pytest.mark.parametrize(
    "ball, levels, targeted",
    [
        (Linf(0.05), None, False),
        (Linf(0.05), [2], True),
        (L2(0.3, step=0.3), None, False),
    ],
)
def test_on_an_affine_manifold(images, ball, levels, targeted):
    flow = tiny.make_flow(perturbed=False)
    blocks = tiny.pulled_back(flow, WEIGHTS)
    slope = np.concatenate(blocks if levels is None else blocks[1:])
    attack = OnManifoldPGD(
        flow, ball, steps=20, levels=levels, targeted=targeted
    )
    gains, result = _gains(attack, images)
    dual = np.linalg.norm(slope, 1 if isinstance(ball, Linf) else 2)
    expected = (-1 if targeted else 1) * ball.radius * dual
    np.testing.assert_allclose(gains, expected, rtol=1e-4)
    np.testing.assert_allclose(result.budget["latent"], ball.radius, rtol=1e-5)


def test_standardized_latents_are_another_threat(flow, images):
    found = {}
    for standardized in (False, True):
        attack = OnManifoldPGD(
            flow, Linf(0.1), steps=3, standardized=standardized
        )
        _, result = _gains(attack, images)
        # The budget is kept in the unit that was asked for.
        before = flow.encode(images, standardized)
        after = flow.encode(result.images, standardized)
        moved = [
            np.abs(late - early).reshape(6, -1).max(1)
            for late, early in zip(after, before, strict=True)
        ]
        np.testing.assert_allclose(
            np.max(moved, 0), result.budget["latent"], atol=1e-4
        )
        assert np.all(result.budget["latent"] <= 0.1 + 1e-6)
        found[standardized] = result.images
    assert np.abs(found[True] - found[False]).max() > 1e-3


def test_given_latents_take_the_place_of_encoded_ones(images):
    class Decoder:
        def decode(self, latents):
            return 0.5 + 0.1 * tf.reshape(latents, [-1, *tiny.SHAPE])

    latents = np.random.default_rng(0).uniform(-1, 1, (6, 128))
    latents = latents.astype("float32")
    attack = OnManifoldPGD(Decoder(), Linf(0.2))
    result = attack(MODEL, images, LABELS, latents=latents)
    moved = latents + 0.2 * SIGN[:, None] * np.sign(WEIGHTS).ravel()
    np.testing.assert_allclose(
        result.images,
        0.5 + 0.1 * moved.reshape(images.shape),
        atol=1e-6,
    )
    with pytest.raises(ValueError, match="no `encode`.*`latents`"):
        attack(MODEL, images, LABELS)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: FGSM(8 / 255), "`space` must be"),
        (lambda: PGD(Linf(0.1), steps=0), "`steps` must be"),
        (lambda: PGD(Linf(0.1), restarts=0), "`restarts` must be"),
        (lambda: MomentumPGD(Linf(0.1), steps=0), "`steps` must be"),
        (lambda: OnManifoldPGD(MODEL, Linf(0.1)), "a generator with `decode"),
        (lambda: OnManifoldPGD(None, Linf(0.1)), "a generator with `decode"),
    ],
)
def test_wrong_settings_are_refused_at_once(make, message):
    with pytest.raises(ValueError, match=message):
        make()
