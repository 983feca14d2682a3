"""The flows that come with the library."""

import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf.flows import presets
from ijsat_tf.flows.inversion import kinds

NAMES = presets.names()


@pytest.fixture(scope="module")
def preset():
    """Shared, so that it is traced once."""
    return ij.flows.Glow.from_preset("glow_cifar10_small")


def smooth_images(count=8):
    """Images like photographs: they vary slowly, colours less than light."""
    random = np.random.default_rng(0)
    light = random.uniform(0.2, 0.8, (count, 5, 5, 1))
    coarse = light + random.uniform(-0.1, 0.1, (count, 5, 5, 3))
    images = tf.image.resize(coarse, (32, 32), "bicubic")
    return np.clip(images, 0, 1).astype("float32")


def test_there_is_one():
    assert NAMES == ["glow_cifar10_small"]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_small_and_has_a_card(name):
    path = presets.path(name)
    assert path.stat().st_size < 10e6
    card = path.with_suffix(".md").read_text(encoding="utf-8")
    for word in ("Data", "bits/dim", "inversion_errors", "Caveats"):
        assert word in card


def test_it_is_trained_and_inverts(preset):
    images = smooth_images()
    again = preset.decode(preset.encode(images))
    np.testing.assert_allclose(again, images, atol=1e-4)
    # Slow images have few bits, for a flow that knows them; guessing takes 8.
    assert np.mean(preset.bits_per_dim(images)) < 3


@pytest.mark.sampled
@pytest.mark.parametrize("standardized", [False, True])
def test_images_far_from_any_stay_finite_under_changes(preset, standardized):
    assert preset.deviations == (0.001, 2.0)
    flow = preset.prepared()
    for kind, batch in kinds(smooth_images(2)).items():
        latents = flow.encode(batch, standardized)
        for sign in (-1, 1):
            moved = [latent + 0.02 * sign for latent in latents]
            assert np.isfinite(flow.decode(moved, standardized)).all(), kind


def test_it_knows_what_it_was_fitted_to(preset):
    assert 3 < preset.fitted_bits_per_dim < 4
    noise = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3)) / 255
    assert not ij.flows.familiarity(preset, noise.astype("float32")).passed


@pytest.mark.variant
def test_it_has_the_dtype_that_was_asked_for():
    flow = ij.flows.Glow.from_preset("glow_cifar10_small", "float64")
    fast = flow.prepared()
    assert fast.decode(fast.encode(smooth_images(2))).dtype == tf.float64


@pytest.mark.variant
def test_a_joint_space_attack_by_it_keeps_its_budgets(preset):
    model = ij.models.small_cnn(10, image_shape=(32, 32, 3))
    attack = ij.attacks.JointSpaceAttack(
        preset, ij.spaces.Linf(8 / 255), ij.spaces.Linf(0.02), steps=2
    )
    result = attack(model, smooth_images(2), [0, 1])
    assert np.max(result.budget["latent"]) <= 0.02 * (1 + 1e-5)
    assert np.max(result.budget["pixels"]) <= 8 / 255 * (1 + 1e-5)


def test_an_unknown_name_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="glow_cifar10_small.*'glow_large'"):
        ij.flows.Glow.from_preset("glow_large")
