"""Square: what it finds, and the promises of an attack."""

import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.attacks import Square, require_untargeted
from ijsat_tf.spaces import L1, L2, Linf, Pixels
from tests import tiny

SEED = tf.constant([3, 4])
ORDERS = {Linf: np.inf, L2: 2, L1: 1}
DUALS = {Linf: 1, L2: 2, L1: np.inf}


@pytest.fixture
def noise():
    # Black and white pixels too.
    draw = np.random.default_rng(0).uniform(-0.5, 1.5, (6, *tiny.SHAPE))
    return np.clip(draw, 0, 1).astype("float32")


@pytest.mark.sampled
@pytest.mark.parametrize("classes", [2, 10, 100])
@pytest.mark.parametrize("ball", [Linf(0.02), L2(0.2), L1(2.0)])
def test_keeps_the_ball_and_the_range(noise, classes, ball):
    model = tiny.make_classifier(classes)
    labels = np.argmax(model(noise), 1)
    labels[0] = (labels[0] + 1) % classes
    result = Square(ball, queries=30, restarts=2)(model, noise, labels)
    change = np.reshape(result.images - noise, (6, -1))
    norms = np.linalg.norm(change, ORDERS[type(ball)], axis=1)
    np.testing.assert_allclose(result.budget["pixels"], norms, atol=1e-6)
    assert np.all(norms <= ball.radius + 1e-6)
    assert np.min(result.images) >= 0 and np.max(result.images) <= 1
    logits = model(result.images).numpy()
    np.testing.assert_array_equal(result.success, logits.argmax(1) != labels)
    clean = ~result.success.numpy() | (np.arange(6) == 0)
    np.testing.assert_array_equal(result.images[clean], noise[clean])


@pytest.mark.parametrize("ball", [Linf(0.02), L2(0.2), L1(2.0)])
def test_the_margin_never_grows_and_what_is_fooled_rests(noise, ball):
    _, model = tiny.make_linear()
    images = tf.constant(noise)
    labels = tf.one_hot([0] * 6, 2)

    def run(queries, lead):
        # Far from the boundary, so that all go on to the end.
        return Square(ball, queries)._run(
            lambda batch: model(batch) + 1e3 * labels[:1],
            images,
            labels,
            images,
            tf.fill([6], lead),
            SEED,
        )

    leads = [run(queries, 1.0)[1] for queries in (1, 5, 40)]
    for early, late in zip(leads, leads[1:]):
        assert np.all(late <= early + 1e-6)
    assert np.mean(leads[-1]) < np.mean(leads[0])
    done, least = run(5, -1.0)
    np.testing.assert_array_equal(done, noise)
    np.testing.assert_array_equal(least, -1)


@pytest.mark.parametrize("ball", [Linf(0.05), L2(0.3), L1(2.0)])
def test_finds_what_a_linear_model_lets_it_find(noise, ball):
    """A quarter of the gain that the ball allows is found soon."""
    weights, _ = tiny.make_linear()
    image = 0.25 + 0.5 * noise[:1]
    dual = np.linalg.norm(np.ravel(weights), DUALS[type(ball)])
    reach = ball.radius * dual

    def model(batch):
        gain = tf.reduce_sum(weights * (batch - image), [1, 2, 3])
        return tf.stack([tf.zeros_like(gain), gain - reach / 4], 1)

    assert Square(ball, queries=300)(model, image, [0]).success[0]


def test_seeds(noise):
    model = tiny.make_classifier(10, batch_norm=False)
    labels = np.argmax(model(noise), 1)
    attack = Square(Linf(0.3), queries=3)
    one, same, other = (attack(model, noise, labels, s) for s in (0, 0, 1))
    np.testing.assert_array_equal(one.images, same.images)
    assert np.any(one.success) and np.any(one.images != other.images)


def test_nan_logits_count_as_fooled_and_give_no_nan_images(noise):
    _, model = tiny.make_linear()

    def broken(batch):
        wild = tf.reduce_mean(tf.abs(batch - noise[:1]), [1, 2, 3]) > 1e-3
        return tf.where(wild[:, None], np.nan, model(batch))

    labels = np.argmax(model(noise), 1)
    result = Square(Linf(0.1), queries=3)(broken, noise, labels)
    assert np.isfinite(result.images).all()
    assert np.all(result.success)


@pytest.mark.parametrize("eager", [True, False])
def test_soft_labels_are_refused(noise, eager):
    soft = np.full([6, 3], 1 / 3, "float32")
    tf.config.run_functions_eagerly(eager)
    try:
        with pytest.raises(ValueError, match="Square needs hard labels"):
            Square(Linf(0.1), queries=1)(tiny.make_classifier(), noise, soft)
    finally:
        tf.config.run_functions_eagerly(False)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Square(8 / 255), "`ball` of Square must be"),
        (lambda: Square(Pixels(Linf(0.1))), "`ball` of Square must be"),
        (lambda: Square(Linf(0.1), queries=0), "`queries` must be"),
        (lambda: Square(Linf(0.1), restarts=0), "`restarts` must be"),
    ],
)
def test_wrong_settings_are_refused_at_once(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_labels_are_true_classes():
    require_untargeted(Square(Linf(0.1)), "`attack`")
