"""The steps of PPGD where features and logits are linear, in closed form."""

import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.attacks import PerceptualPGD
from ijsat_tf.attacks.perceptual import perceptual_pgd
from tests.attacks.perceptual.lagrange_test import LABELS, TARGETED, margin
from tests.attacks.perceptual.perceptual_ball_test import (
    IMAGES,
    PHI,
    Linear,
    ball_of,
    flat,
    length,
)


@pytest.mark.parametrize("targeted", TARGETED)
def test_a_step_of_ppgd_in_closed_form(targeted):
    # The maximum of g v under |A v| = step is along (A A^T)^-1 g.
    start = IMAGES.reshape(8, 9)
    value, slope = margin(start, targeted)
    slope = slope * (value < 1)[:, None]
    best = slope @ np.linalg.inv(PHI @ PHI.T)
    step = 2 * 0.01 / 4
    expected = start + step * np.divide(
        best, length(best @ PHI), where=value[:, None] < 1, out=0 * best
    )
    attack = PerceptualPGD(
        0.01, Linear(), steps=4, conjugate_steps=9, targeted=targeted
    )
    labels = tf.one_hot(LABELS, 3)
    found = attack.ascend(ball_of(0.01), labels, tf.constant(IMAGES))
    np.testing.assert_allclose(flat(found), np.clip(expected, 0, 1), atol=1e-6)
    few = PerceptualPGD(0.01, Linear(), steps=4, targeted=targeted)
    found = few.ascend(ball_of(0.01), labels, tf.constant(IMAGES))
    moved = length((flat(found) - start) @ PHI)[:, 0]
    assert np.all(moved < step * 1.001)


def test_conjugate_gradients_solve_a_linear_system():
    draws = np.random.default_rng(2)
    roots = draws.normal(size=(8, 9, 9))
    matrices = roots @ roots.transpose(0, 2, 1) + np.eye(9)
    sides = draws.normal(size=IMAGES.shape)
    sides[0] = 0

    def metric(change):
        image = tf.einsum("bij,bj->bi", matrices, flat(change))
        return tf.reshape(image, change.shape)

    expected = np.linalg.solve(matrices, sides.reshape(8, 9, 1))
    # No more steps than unknowns.
    found = perceptual_pgd._solve(metric, tf.constant(sides), 9)
    np.testing.assert_allclose(flat(found), expected[..., 0], atol=1e-8)
    # The first step is along the side, to the least error there.
    first = perceptual_pgd._solve(metric, tf.constant(sides), 1).numpy()
    for matrix, side, one in zip(matrices[1:], sides[1:], first[1:]):
        b = side.ravel()
        np.testing.assert_allclose(
            one.ravel(), b * (b @ b) / (b @ matrix @ b), rtol=1e-10
        )
