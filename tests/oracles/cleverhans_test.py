"""PGD in L2 and MIA against those of CleverHans, where it is installed.

Foolbox's MI-FGSM does not normalise gradients before it adds them up, and so
is no MIA.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.attacks import Ascent, MomentumPGD
from ijsat_tf.spaces import L2, Linf
from tests import tiny

attacks = pytest.importorskip(
    "cleverhans.tf2.attacks.momentum_iterative_method",
    reason="CleverHans is not installed: pip install cleverhans",
)
descent = pytest.importorskip(
    "cleverhans.tf2.attacks.projected_gradient_descent"
)

# Also black and white pixels, where both must clip.
IMAGES = np.random.default_rng(0).uniform(-0.2, 1.2, (100, *tiny.SHAPE))
IMAGES = np.clip(IMAGES, 0, 1).astype("float32")
LABELS = np.arange(100) % 3
# CleverHans' PGD also cuts at [0, 1] before it projects, which in L2 is
# another attack; Foolbox's is as ours.
INTERIOR = tiny.random_images(100)
BALLS = {"Linf": Linf(0.05, step=0.02), "L2": L2(0.8, step=0.3)}


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return tiny.make_classifier()


def _theirs(function, model, images, ball, steps, **settings):
    return function(
        lambda images: model(images, training=False),
        tf.constant(images),
        ball.radius,
        ball.step,
        steps,
        np.inf if isinstance(ball, Linf) else 2,
        clip_min=0.0,
        clip_max=1.0,
        y=tf.constant(LABELS),
        **settings,
    )


def _compare(result, expected, model):
    same = np.abs(result.images - expected) < 1e-5
    success = np.argmax(model(expected), 1) != LABELS
    print(f"equal coordinates {same.mean():.5f}, success {success.mean():.2f}")
    assert same.mean() >= 0.999
    assert np.mean(result.success != success) <= 0.01
    assert 0 < success.mean() < 1


@pytest.mark.parametrize("name", BALLS)
@pytest.mark.parametrize("steps", [1, 5, 10])
def test_mia(name, steps, model):
    ball = BALLS[name]
    expected = _theirs(
        attacks.momentum_iterative_method, model, IMAGES, ball, steps
    )
    result = MomentumPGD(ball, steps=steps)(model, IMAGES, LABELS)
    _compare(result, expected, model)


@pytest.mark.parametrize("name", BALLS)
def test_pgd(name, model):
    # After more steps rounding decides on which side of a ReLU some are.
    ball = BALLS[name]
    expected = _theirs(
        descent.projected_gradient_descent,
        model,
        INTERIOR,
        ball,
        3,
        rand_init=False,
    )
    attack = Ascent(ball, steps=3, random_start=False)
    _compare(attack(model, INTERIOR, LABELS), expected, model)
