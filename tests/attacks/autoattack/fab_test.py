"""FAB against closed forms on linear models, and its promises."""

import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.attacks import FAB, require_untargeted
from ijsat_tf.spaces import L1, L2, Linf, Pixels
from tests import tiny

BALLS = [Linf(0.9), L2(9.0), L1(90.0)]
ORDERS = {Linf: np.inf, L2: 2, L1: 1}
DUALS = {Linf: 1, L2: 2, L1: np.inf}
ROWS = (6, -1)


def linear(classes, seed=0):
    draws = np.random.default_rng(seed)
    weights = draws.normal(size=(classes, *tiny.SHAPE)).astype("float32")

    def model(images):
        # Around the middle of the box, so that no class is far.
        return tf.einsum("bhwc,khwc->bk", images - 0.5, weights)

    return weights.reshape(classes, -1), model


def norms(ball, change):
    rows = np.reshape(change, ROWS)
    return np.linalg.norm(rows, ORDERS[type(ball)], axis=1)


@pytest.fixture
def images():
    # Near the middle, where the box plays no part.
    return 0.5 + 0.1 * (tiny.random_images() - 0.5)


@pytest.mark.parametrize("classes", [2, 10])
@pytest.mark.parametrize("ball", BALLS)
@pytest.mark.parametrize("targeted", [True, False])
def test_finds_the_least_change_on_a_linear_model(
    images, ball, classes, targeted
):
    weights, model = linear(classes)
    logits = model(images).numpy()
    labels = logits.argmax(1)
    # |z_c - z_y| / |w_c - w_y|_q, least over the other classes.
    gaps = logits.max(1, keepdims=True) - logits
    slopes = weights[None] - weights[labels][:, None]
    slopes = np.linalg.norm(slopes, DUALS[type(ball)], axis=2)
    each = np.where(slopes > 0, gaps / np.maximum(slopes, 1e-9), np.inf)
    attack = FAB(ball, targeted, steps=40)
    result = attack(model, images, labels)
    assert np.all(result.success)
    found = norms(ball, result.images - images)
    np.testing.assert_allclose(result.budget["pixels"], found, rtol=1e-5)
    if targeted:
        # The class of the second largest logit is the first to be found.
        second = np.argsort(-logits, 1)[:, 1]
        expected = each[np.arange(6), second]
    else:
        expected = each.min(1)
    # Another class may win on the way, before the one that is looked for.
    assert np.all(found >= each.min(1) * (1 - 1e-4))
    assert np.all(found <= expected * 1.05)
    if classes == 2 or not targeted:
        np.testing.assert_allclose(found, expected, rtol=1e-2)


@pytest.mark.sampled
@pytest.mark.parametrize("classes", [2, 10, 100])
@pytest.mark.parametrize("ball", [Linf(0.02), L2(0.2), L1(1.0)])
@pytest.mark.parametrize("targeted", [True, False])
def test_keeps_the_ball_and_the_range(classes, ball, targeted):
    model = tiny.make_classifier(classes)
    # Black and white pixels too.
    noise = np.random.default_rng(0).uniform(-0.5, 1.5, (6, *tiny.SHAPE))
    noise = np.clip(noise, 0, 1).astype("float32")
    labels = np.argmax(model(noise), 1)
    labels[0] = (labels[0] + 1) % classes
    attack = FAB(ball, targeted, steps=4, restarts=2)
    result = attack(model, noise, labels)
    assert np.min(result.images) >= 0 and np.max(result.images) <= 1
    assert np.all(norms(ball, result.images - noise) <= ball.radius + 1e-6)
    logits = model(result.images).numpy()
    np.testing.assert_array_equal(result.success, logits.argmax(1) != labels)
    shifted = logits - logits.max(1, keepdims=True)
    loss = np.log(np.exp(shifted).sum(1)) - shifted[np.arange(6), labels]
    np.testing.assert_allclose(result.loss, loss, rtol=1e-4, atol=1e-5)
    # What fools already, or was not fooled, stays as it was.
    clean = ~result.success.numpy() | (np.arange(6) == 0)
    np.testing.assert_array_equal(result.images[clean], noise[clean])


def test_restarts_draw_from_the_seed(images):
    model = tiny.make_classifier(10, batch_norm=False)
    labels = np.argmax(model(images), 1)
    one = FAB(L2(3.0), steps=1, targets=1)
    many = FAB(L2(3.0), steps=1, targets=1, restarts=5)
    first = many(model, images, labels, seed=0)
    np.testing.assert_array_equal(
        first.images, many(model, images, labels, seed=0).images
    )
    assert np.sum(first.success) >= np.sum(one(model, images, labels).success)
    # A single search has nothing random.
    np.testing.assert_array_equal(
        one(model, images, labels, seed=1).images,
        one(model, images, labels, seed=2).images,
    )


def test_nan_logits_count_as_fooled_and_give_no_nan_images(images):
    _, model = linear(3)

    def broken(batch):
        far = tf.reduce_mean(tf.abs(batch - images[:1]), [1, 2, 3]) > 1e-3
        return tf.where(far[:, None], np.nan, model(batch))

    labels = np.argmax(model(images), 1)
    result = FAB(Linf(0.5), steps=3)(broken, images, labels)
    assert np.isfinite(result.images).all()
    assert np.all(result.success[1:])


@pytest.mark.parametrize("eager", [True, False])
def test_soft_labels_are_refused(images, eager):
    soft = np.full([6, 3], 1 / 3, "float32")
    tf.config.run_functions_eagerly(eager)
    try:
        with pytest.raises(ValueError, match="FAB needs hard labels"):
            FAB(Linf(0.1), steps=1)(tiny.make_classifier(), images, soft)
    finally:
        tf.config.run_functions_eagerly(False)


def test_a_new_graph_takes_any_number_of_steps(images):
    def size(steps):
        attack = FAB(Linf(0.1), steps=steps)
        _, model = linear(3)
        graph = tf.function(lambda batch: attack(model, batch, [0] * 6))
        return len(
            graph.get_concrete_function(tf.constant(images))
            .graph.as_graph_def()
            .node
        )

    assert size(2) == size(50)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: FAB(8 / 255), "`ball` of FAB must be"),
        (lambda: FAB(Pixels(Linf(0.1))), "`ball` of FAB must be"),
        (lambda: FAB(Linf(0.1), steps=0), "`steps` must be"),
        (lambda: FAB(Linf(0.1), restarts=0), "`restarts` must be"),
        (lambda: FAB(Linf(0.1), targets=0), "`targets` must be"),
    ],
)
def test_wrong_settings_are_refused_at_once(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_labels_are_true_classes_also_when_targeted():
    require_untargeted(FAB(Linf(0.1), targeted=True), "`attack`")
