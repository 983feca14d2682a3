"""Mixup against NumPy, its draws against the Beta distribution."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from ijsat_tf import mixup, seeds
from ijsat_tf.samples import Batch
from tests import tiny

RANDOM = np.random.default_rng(0)


def _batch(rows=5, latents=False):
    def draw(*shape):
        return tf.constant(RANDOM.random((rows, *shape)), tf.float32)

    return Batch(
        draw(4, 4, 2),
        draw(3),
        [draw(2, 2, 4), draw(1, 1, 8)] if latents else None,
    )


@pytest.mark.parametrize("rows", [1, 2, 5, 6])
def test_partners_are_partners_of_each_other(rows):
    pairs = mixup.partners(rows).numpy()
    np.testing.assert_array_equal(pairs[pairs], np.arange(rows))
    alone = np.flatnonzero(pairs == np.arange(rows))
    assert list(alone) == ([rows - 1] if rows % 2 else [])


def test_partners_stay_within_a_replica():
    pairs = mixup.partners(8).numpy()
    np.testing.assert_array_equal(pairs[:4], mixup.partners(4))


@pytest.mark.parametrize("latents", [False, True])
def test_mix_against_numpy_with_one_alpha_for_all_parts(latents):
    batch = _batch(latents=latents)
    alpha = RANDOM.random(5).astype("float32")
    pairs = np.array([3, 0, 2, 1, 1])
    mixed = mixup.mix(batch, tf.constant(alpha), tf.constant(pairs))
    parts, expected = tf.nest.flatten(mixed), tf.nest.flatten(batch)
    assert len(parts) == len(expected)
    for part, items in zip(parts, expected):
        if items is None:
            assert part is None
            continue
        items = items.numpy()
        rows = [
            a * items[i] + (1 - a) * items[j]
            for i, (a, j) in enumerate(zip(alpha, pairs))
        ]
        np.testing.assert_allclose(part, np.stack(rows), rtol=1e-5)


def test_integers_among_latents_stay_those_of_the_sample():
    floats = tf.constant(RANDOM.random((4, 3)), tf.float32)
    places = tf.constant([[1, 2], [3, 4], [5, 6], [7, 8]])
    batch = _batch(rows=4)._replace(latents=[floats, places])
    mixed = mixup.mix(batch, tf.fill([4], 0.25), mixup.partners(4)).latents
    np.testing.assert_array_equal(mixed[1], places)
    expected = 0.25 * floats.numpy() + 0.75 * floats.numpy()[[1, 0, 3, 2]]
    np.testing.assert_allclose(mixed[0], expected, rtol=1e-6)


@pytest.mark.parametrize("tau", [0.1, 0.5, 1.0, 4.0])
def test_alphas_follow_the_beta_distribution(tau):
    alpha = mixup.alphas(20000, tau, seeds.derive(0)).numpy()
    assert alpha.min() >= 0 and alpha.max() <= 1
    assert np.isfinite(alpha).all()
    np.testing.assert_allclose(alpha.mean(), 0.5, atol=0.01)
    np.testing.assert_allclose(alpha.var(), 1 / (4 * (2 * tau + 1)), atol=0.005)
    # At a few places: near 0 and 1 float32 rounds.
    for place in (0.01, 0.2, 0.5, 0.8, 0.99):
        np.testing.assert_allclose(
            (alpha <= place).mean(),
            stats.beta(tau, tau).cdf(place),
            atol=0.012,
        )


def test_alphas_are_a_function_of_the_seed():
    first = mixup.alphas(8, 0.5, seeds.derive(0)).numpy()
    np.testing.assert_array_equal(first, mixup.alphas(8, 0.5, seeds.derive(0)))
    assert not np.array_equal(first, mixup.alphas(8, 0.5, seeds.derive(1)))
    assert len(np.unique(first)) == 8


def test_one_alpha_a_batch():
    alpha = mixup.alphas(6, 0.5, seeds.derive(0), per="batch").numpy()
    np.testing.assert_array_equal(alpha, np.full(6, alpha[0]))


@pytest.mark.parametrize("per", ["sample", "batch"])
def test_two_replicas_draw_the_alphas_of_one(per):
    strategy = tiny.two_replicas()
    seed = seeds.derive(0, "mix")

    @tf.function
    def both():
        return strategy.run(lambda: mixup.alphas(3, 0.5, seed, per))

    rows = strategy.experimental_local_results(both())
    np.testing.assert_array_equal(
        np.concatenate([part.numpy() for part in rows]),
        mixup.alphas(6, 0.5, seed, per),
    )


def test_tau_zero_leaves_the_batch_as_it_is():
    batch = _batch()
    assert mixup.mixup(batch, 0.0, seeds.derive(0)) is batch


def test_mixup_mixes_a_batch_with_itself():
    batch = _batch(latents=True)
    seed = seeds.derive(0)
    mixed = mixup.mixup(batch, 0.5, seed)
    alpha = mixup.alphas(5, 0.5, seed).numpy()
    for part, items in zip(tf.nest.flatten(mixed), tf.nest.flatten(batch)):
        items = items.numpy()
        weight = alpha.reshape(-1, *[1] * (items.ndim - 1))
        expected = weight * items + (1 - weight) * items[[1, 0, 3, 2, 4]]
        np.testing.assert_allclose(part, expected, rtol=1e-5)
