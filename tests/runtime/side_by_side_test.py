"""A batch in parts gives what the whole batch gives."""

import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf import seeds
from ijsat_tf.runtime import side_by_side
from ijsat_tf.runtime.compiled import compiled
from tests import tiny

BALL = ij.spaces.Linf(0.05, step=0.02)


@pytest.fixture
def three_cores(monkeypatch):
    monkeypatch.setattr(side_by_side, "_cores", lambda: 3)


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 6, 7])
def test_rows_and_draws_of_the_whole_batch(three_cores, rows):
    x = tf.reshape(tf.range(2.0 * rows), [rows, 2])
    seed = seeds.derive(0)
    drawn, doubled, nothing = side_by_side.side_by_side(
        lambda x, other: (seeds.uniform(x, seed), 2 * x, x[:, 0]), (x, None)
    )
    np.testing.assert_array_equal(drawn, seeds.uniform(x, seed))
    np.testing.assert_array_equal(doubled, 2 * x)
    np.testing.assert_array_equal(nothing, x[:, 0])


@pytest.mark.parametrize("cores", [1, 3])
@pytest.mark.parametrize("rows", [1, 2, 7, 8])
def test_replicas_take_parts(monkeypatch, rows, cores):
    monkeypatch.setattr(side_by_side, "_cores", lambda: cores)
    x = tf.reshape(tf.range(2.0 * rows), [rows, 2])
    seed = seeds.derive(0)
    counts = []

    @compiled
    def shared(x):
        def part(x):
            counts.append(seeds.replicas())
            return seeds.uniform(x, seed), 2 * x, x[:, 0] > 3

        return side_by_side.side_by_side(part, (x,))

    plain = shared(x)
    with tiny.two_replicas().scope():
        spread = shared(x)
    assert counts == [1, 2, 2]
    for one, two in zip(plain, spread):
        assert two.dtype == one.dtype
        np.testing.assert_array_equal(two, one)


def test_draws_are_those_of_the_whole_batch_only_inside(three_cores):
    x = tf.zeros([4, 2])
    seed = seeds.derive(1)
    before = seeds.normal(x, seed)
    side_by_side.side_by_side(lambda x: seeds.normal(x, seed), (x,))
    np.testing.assert_array_equal(seeds.normal(x, seed), before)


@pytest.mark.sampled
@pytest.mark.parametrize("rows", [6, 1])
def test_attacks(flow, images, labels, classifier, monkeypatch, rows):
    attacks = [
        ij.attacks.PGD(BALL, steps=2, restarts=2),
        ij.attacks.JointSpaceAttack(flow, BALL, BALL, steps=1),
    ]
    for attack in attacks:
        found = []
        for cores in (1, 3):
            monkeypatch.setattr(
                side_by_side, "_cores", lambda cores=cores: cores
            )
            compiled = tf.function(
                lambda images, labels, attack=attack: attack(
                    classifier, images, labels, seed=4
                )
            )
            found.append(compiled(images[:rows], labels[:rows]))
        whole, split = found
        assert split.images.shape == whole.images.shape
        # Convolutions of other batch sizes round differently.
        np.testing.assert_allclose(split.images, whole.images, atol=1e-5)
        np.testing.assert_allclose(split.loss, whole.loss, rtol=1e-4)
        for name, used in whole.budget.items():
            np.testing.assert_allclose(split.budget[name], used, rtol=1e-4)


def test_what_a_batch_shares_is_not_split():
    fog = ij.attacks.Fog(100.0, steps=1, reference=True)
    assert not fog.by_sample
    assert not ij.attacks.WorstOf([ij.attacks.FGSM(BALL), fog]).by_sample
    assert not ij.attacks.Ascent(ij.spaces.Joint(fog.space, BALL)).by_sample
    assert ij.attacks.Fog(100.0).by_sample
    assert ij.attacks.FGSM(BALL).by_sample


def test_split_or_not(three_cores):
    def total(x):
        return tf.zeros_like(x) + tf.reduce_sum(x)

    x = tf.range(6.0)
    whole = side_by_side.side_by_side(total, (x,), split=False)
    np.testing.assert_array_equal(whole, np.full(6, 15.0))
    assert set(side_by_side.side_by_side(total, (x,)).numpy()) == {1, 5, 9}


@pytest.mark.parametrize(
    ("intra", "inter", "gpus", "cores"),
    [(0, 2, 0, 1), (2, 2, 0, 1), (1, 2, 0, 2), (1, 3, 0, 3), (1, 3, 1, 1)],
)
def test_cores(monkeypatch, intra, inter, gpus, cores):
    threading = tf.config.threading
    for name, value in (("intra", intra), ("inter", inter)):
        monkeypatch.setattr(
            threading,
            f"get_{name}_op_parallelism_threads",
            lambda value=value: value,
        )
    monkeypatch.setattr(
        tf.config, "list_physical_devices", lambda kind: ["GPU"] * gpus
    )
    assert side_by_side._cores() == cores
    with tiny.two_replicas().scope():
        assert side_by_side._cores() == max(1, cores // 2)


def test_soft_labels_in_parts(three_cores, images, classifier):
    soft = np.full((len(images), 3), 1 / 3, "float32")
    found = tf.function(
        lambda: ij.attacks.FGSM(BALL)(classifier, images, soft)
    )()
    assert np.abs(found.images - images).max() <= 0.05 + 1e-6
