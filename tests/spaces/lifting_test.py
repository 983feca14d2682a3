"""Radii and steps leave an attack, and come back as tensors."""

import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf.attacks import attack as module
from ijsat_tf.spaces import L2, Latent, Linf
from ijsat_tf.spaces.lifting import lifted, lowered
from tests import tiny

FLOW = tiny.make_flow()


def _jsa(radius, step=None, eta=0.1):
    return ij.attacks.JointSpaceAttack(
        FLOW, Linf(radius, step=step), L2(eta), steps=2
    )


def test_attacks_that_differ_in_numbers_alone_become_equal():
    one, numbers = lifted(_jsa(0.1, step=0.02))
    other, others = lifted(_jsa(0.3, step=0.05, eta=0.2))
    assert one == other and hash(one) == hash(other)
    assert sorted(numbers.numpy()) == [0.02, 0.1, 0.1]
    assert sorted(others.numpy()) == [0.05, 0.2, 0.3]


def test_other_differences_stay():
    first, _ = lifted(_jsa(0.1, step=0.02))
    assert first != lifted(_jsa(0.1))[0]
    pgds = [ij.attacks.PGD(ball) for ball in (Linf(0.1), L2(0.1))]
    pgds.append(ij.attacks.PGD(Linf(0.1), steps=3))
    empty = [lifted(attack)[0] for attack in pgds]
    assert len({*empty}) == 3


def test_lowering_gives_the_numbers_back():
    attack = _jsa(0.1, step=0.02)
    again = lowered(*lifted(attack))
    assert float(again.pixels.radius) == 0.1
    assert float(again.pixels.step) == 0.02
    assert float(again.latent.radius) == 0.1 and again.latent.step is None
    assert again.steps == attack.steps and again.flow is FLOW
    assert attack == _jsa(0.1, step=0.02)  # The attack stays what it was.


@pytest.mark.parametrize("kind", [Linf, L2])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_lowered_ball_is_the_same_ball(kind, dtype):
    draws = np.random.default_rng(0).normal(size=(2, 3, 4, 4, 1))
    change, gradient = tf.constant(draws.astype(dtype))
    ball = kind(0.1, step=0.03)
    again = lowered(*lifted(ball))
    for one, other in (
        (ball.ascend(change, gradient), again.ascend(change, gradient)),
        (ball.project(change), again.project(change)),
    ):
        np.testing.assert_array_equal(one, other)


SWEEPS = {
    "pgd": lambda radius: ij.attacks.PGD(Linf(radius), steps=2),
    "om_pgd": lambda radius: ij.attacks.Ascent(
        Latent(FLOW, Linf(radius)), steps=2
    ),
    "apgd": lambda radius: ij.attacks.APGD(L2(radius), steps=3),
    "square": lambda radius: ij.attacks.Square(Linf(radius), queries=3),
}


@pytest.mark.parametrize("name", SWEEPS)
def test_twenty_radii_are_traced_once(name, images, labels):
    model = tiny.make_classifier()
    before = module._attack.tracing_count()
    for radius in np.linspace(0.01, 0.2, 20):
        attack = SWEEPS[name](float(radius))
        result = attack(model, images, labels)
        (used,) = result.budget.values()
        assert np.max(used) <= radius * (1 + 1e-5)
    assert module._attack.tracing_count() == before + 1
