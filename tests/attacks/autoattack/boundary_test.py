"""The nearest boundary against norms of NumPy and numerical gradients."""

import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.attacks.autoattack.boundary import nearest_boundary
from tests import tiny
from tests.attacks.autoattack.fab_test import BALLS, DUALS, linear


@pytest.mark.parametrize("ball", BALLS)
def test_the_nearest_boundary_is_that_of_least_distance(ball):
    images = tiny.random_images()
    weights, model = linear(10)
    logits = model(images).numpy()
    labels = logits.argmax(1)
    others = (labels[:, None] + np.arange(1, 10)) % 10
    gap, normal = nearest_boundary(
        model, ball, tf.constant(images), tf.one_hot(labels, 10), others
    )
    for row, label in enumerate(labels):
        slopes = weights - weights[label]
        gaps = logits[row] - logits[row, label]
        lengths = np.linalg.norm(slopes, DUALS[type(ball)], axis=1)
        distance = np.abs(gaps) / np.maximum(lengths, 1e-9)
        distance[label] = np.inf
        best = distance.argmin()
        assert float(gap[row]) == pytest.approx(gaps[best], rel=1e-4)
        np.testing.assert_allclose(
            np.ravel(normal[row]), slopes[best], atol=1e-5
        )


@pytest.mark.parametrize("ball", BALLS)
def test_of_a_single_class_the_boundary_is_its_own(ball):
    images = tiny.random_images()
    weights, model = linear(10)
    logits = model(images).numpy()
    labels = np.arange(6)
    other = labels + 4
    gap, normal = nearest_boundary(
        model,
        ball,
        tf.constant(images),
        tf.one_hot(labels, 10),
        tf.constant(other[:, None]),
    )
    rows = np.arange(6)
    np.testing.assert_allclose(
        gap, logits[rows, other] - logits[rows, labels], rtol=1e-4
    )
    np.testing.assert_allclose(
        np.reshape(normal, (6, -1)), weights[other] - weights[labels], atol=1e-5
    )


@pytest.mark.parametrize("ball", BALLS)
def test_the_normal_is_the_slope_of_a_curved_model(ball):
    draws = np.random.default_rng(1)
    images = draws.random((5, 2, 2, 1))
    weights, bends = draws.normal(size=(2, 4, 3))
    labels = np.array([0, 1, 2, 0, 1])
    others = (labels[:, None] + [1, 2]) % 3

    def numbers(rows):
        return rows @ weights + np.sin(rows @ bends)

    def model(images):
        rows = tf.reshape(images, [-1, 4])
        return rows @ weights + tf.sin(rows @ bends)

    gap, normal = nearest_boundary(
        model,
        ball,
        tf.constant(images),
        tf.one_hot(labels, 3, dtype=tf.float64),
        tf.constant(others),
    )
    for row, (image, label) in enumerate(zip(images, labels)):
        known = []
        for other in others[row]:

            def ahead(point, other=other, label=label):
                logits = numbers(point)
                return logits[..., other] - logits[..., label]

            moved = 1e-5 * np.eye(4)
            center = image.ravel()
            slope = (ahead(center + moved) - ahead(center - moved)) / 2e-5
            distance = abs(ahead(center)) / np.linalg.norm(
                slope, DUALS[type(ball)]
            )
            known.append((distance, ahead(center), slope))
        _, value, slope = min(known, key=lambda each: each[0])
        assert float(gap[row]) == pytest.approx(value)
        np.testing.assert_allclose(np.ravel(normal[row]), slope, atol=1e-7)


def test_a_gap_that_is_not_finite_is_none():
    images = tf.constant(tiny.random_images())
    _, model = linear(3)
    others = tf.constant([[1, 2]] * 6)
    for odd in (np.nan, np.inf, -np.inf):
        gap, normal = nearest_boundary(
            lambda images, odd=odd: model(images) + [0.0, odd, 0.0],
            BALLS[0],
            images,
            tf.one_hot([0] * 6, 3),
            others,
        )
        np.testing.assert_array_equal(gap, np.zeros(6))
        assert np.all(np.isfinite(normal))
