"""APGD against closed forms on linear models, and against the paper's loop
written out for one sample in NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf import seeds
from ijsat_tf.attacks import APGD
from ijsat_tf.spaces import L1, L2, Latent, Linf
from tests import tiny

WEIGHTS, LINEAR = tiny.make_linear()
LABELS = np.array([0, 1, 0, 1, 0, 1])
ORDERS = {Linf: np.inf, L2: 2, L1: 1}
DUAL = {
    Linf: np.abs(WEIGHTS).sum(),
    L2: np.linalg.norm(WEIGHTS),
    L1: np.abs(WEIGHTS).max(),
}
FAR = {"larger_radii": True}


def norms(ball, change):
    rows = np.reshape(change, (len(change), -1))
    return np.linalg.norm(rows, ORDERS[type(ball)], axis=1)


@pytest.mark.parametrize(
    "ball, options",
    [(Linf(0.02), {}), (L2(0.2), {}), (L1(0.25), {}), (L1(0.25), FAR)],
)
def test_gains_the_radius_times_the_dual_norm(images, ball, options):
    # So sure that nothing is found, where the best point is what is left.
    def sure(batch):
        return LINEAR(batch) + [3.0, 0.0]

    result = APGD(ball, **options)(sure, images, np.zeros(6, int))
    assert not np.any(result.success)
    change = result.images - images
    gains = np.sum(WEIGHTS * change, (1, 2, 3))
    best = ball.radius * DUAL[type(ball)]
    # Sparse steps end with the two largest slopes, not with the largest.
    tolerance = 0.02 if isinstance(ball, L1) else 1e-4
    np.testing.assert_allclose(gains, best, rtol=tolerance)
    np.testing.assert_allclose(norms(ball, change), ball.radius, rtol=1e-5)
    np.testing.assert_allclose(
        result.budget["pixels"], norms(ball, change), rtol=1e-5
    )


@pytest.mark.sampled
@pytest.mark.parametrize("ball", [Linf(0.02), L2(0.2)])
@pytest.mark.parametrize("side", [0.9, 1.1])
def test_finds_what_there_is_and_nothing_else(images, ball, side):
    # The boundary lies at `side` of the most that the ball allows.
    best = ball.radius * DUAL[type(ball)]
    offset = np.sum(WEIGHTS * images, (1, 2, 3)) + side * best

    def model(batch):
        score = tf.reduce_sum(WEIGHTS * batch, axis=[1, 2, 3])
        return tf.stack([offset[0] + 0 * score, score], axis=1)

    result = APGD(ball, steps=30)(model, images[:1], [0])
    assert bool(result.success[0]) == (side < 1)


@pytest.mark.parametrize(
    "ball, options",
    [(Linf(0.1), {}), (L2(1.0), {}), (L1(4.0), {}), (L1(4.0), FAR)],
)
def test_stays_in_the_ball_and_in_range(ball, options):
    noise = np.random.default_rng(0).random((6, *tiny.SHAPE), "float32")
    noise = np.round(noise * 1.4 - 0.2, 2).clip(0, 1).astype("float32")
    result = APGD(ball, steps=10, **options)(LINEAR, noise, LABELS)
    assert np.min(result.images) >= 0 and np.max(result.images) <= 1
    used = norms(ball, result.images - noise)
    assert np.all(used <= ball.radius + 1e-6)
    np.testing.assert_allclose(result.budget["pixels"], used, rtol=1e-5)


@pytest.mark.parametrize("ball", [Linf(0), L2(0), L1(0)])
def test_a_radius_of_zero_returns_the_images(images, ball):
    result = APGD(ball, steps=3)(LINEAR, images, LABELS)
    np.testing.assert_array_equal(result.images, images)


def make_net(classes):
    """Smooth and uneven, so that steps too long lower the loss."""
    keras.utils.set_random_seed(5)
    wide = keras.initializers.RandomNormal(stddev=0.8)
    return keras.Sequential(
        [
            keras.layers.Input(tiny.SHAPE),
            keras.layers.Flatten(),
            keras.layers.Dense(16, "tanh", kernel_initializer=wide),
            keras.layers.Dense(classes, kernel_initializer=wide),
        ]
    )


def ratio(logits, y, t):
    order = tf.sort(logits, direction="DESCENDING")
    if t is None:
        other = tf.reduce_max(tf.boolean_mask(logits, np.arange(5) != y))
        return (other - logits[y]) / (order[0] - order[2])
    return (logits[t] - logits[y]) / (order[0] - (order[2] + order[3]) / 2)


def loop(net, loss, ball, image, start, y, steps):
    """The paper's algorithm: every point, whether it is wrong, its loss."""

    @tf.function
    def graph(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            logits = net(x)[0]
            value = loss(logits, y)
        return value, tape.gradient(value, x)[0], tf.argmax(logits) != y

    def look(x):
        value, slope, wrong = graph(tf.constant(x[None]))
        return float(value), slope.numpy(), bool(wrong)

    def project(x):
        change = x - image
        if isinstance(ball, Linf):
            change = change.clip(-ball.radius, ball.radius)
        else:
            length = np.linalg.norm(change)
            change = change * min(1, ball.radius / max(length, 1e-12))
        return (image + change).clip(0, 1).astype("float32")

    def direction(slope):
        if isinstance(ball, Linf):
            return np.sign(slope)
        return slope / max(np.linalg.norm(slope), 1e-12)

    checkpoints = {21: 22, 40: 19, 56: 16, 69: 13, 79: 10, 86: 7, 92: 6, 98: 6}
    x = before = project(start)
    value, slope, wrong = look(x)
    best = (value, x, slope)
    history = [(x, wrong, value)]
    step, values, reduced, last_best = 2 * ball.radius, [value], True, value
    halvings = 0
    for i in range(steps):
        z = project(x + step * direction(slope))
        share = 1.0 if i == 0 else 0.75
        new = project(x + share * (z - x) + (1 - share) * (x - before))
        before, x = x, new
        value, slope, wrong = look(x)
        history.append((x, wrong, value))
        values.append(value)
        if value > best[0]:
            best = (value, x, slope)
        if i in checkpoints:
            recent = np.array(values[-checkpoints[i] - 1 :])
            rises = np.sum(recent[1:] > recent[:-1])
            still = not reduced and last_best >= best[0]
            reduced = bool(rises <= 0.75 * checkpoints[i]) or still
            last_best = best[0]
            if reduced:
                step, halvings = step / 2, halvings + 1
                _, x, slope = best
    return history, halvings


def expected_image(history, image):
    """The last wrong point of the first window with one, else the best."""
    ends = np.cumsum([0, 22, 19, 16, 13, 10, 7, 6, 6, 1])
    for first, last in zip(ends, ends[1:]):
        first = first + 1 if first else 0
        wrong = [x for x, wrong, _ in history[first : last + 1] if wrong]
        if wrong:
            return wrong[-1]
    return max(history, key=lambda point: point[2])[0]


@pytest.mark.parametrize(
    "ball, loss",
    [(L2(0.36), "ce"), (L2(0.36), "dlr"), (Linf(0.03), "targeted")],
)
def test_equals_the_loop_written_out(images, ball, loss):
    net = make_net(5)
    clean = net(images).numpy()
    labels = clean.argmax(1)
    ranked = np.argsort(-clean, axis=1)
    result = APGD(ball, loss, targets=1)(net, images, labels, seed=3)
    success = np.asarray(result.success)
    draw = seeds.derive(seeds.derive(3), "start", 0)
    starts = ball.start(tf.constant(images), draw).numpy()
    lengths = norms(ball, starts)[:, None, None, None]
    starts = images + ball.radius * starts / lengths
    assert 0 < np.sum(success) < 6
    halvings, same = set(), []
    for row, (image, start, y) in enumerate(zip(images, starts, labels)):

        def objective(logits, y, row=row):
            if loss == "ce":
                return keras.losses.sparse_categorical_crossentropy(
                    y, logits, from_logits=True
                )
            return ratio(logits, y, ranked[row, 1] if loss != "dlr" else None)

        history, count = loop(net, objective, ball, image, start, y, 100)
        halvings.add(count)
        gap = np.abs(result.images[row] - expected_image(history, image))
        same.append(gap.max() < 1e-4)
        assert success[row] == any(wrong for _, wrong, _ in history)
    assert max(halvings) > 1
    # On a plateau rounding decides whether a loss has risen.
    assert np.mean(same) > 0.6


@pytest.mark.sampled
@pytest.mark.parametrize(
    "loss, classes",
    [("ce", 2), ("dlr", 3), ("targeted", 4), ("targeted", 100)],
)
def test_numbers_of_classes(images, loss, classes):
    net = tiny.make_classifier(classes)
    labels = np.argmax(net(images), 1)
    result = APGD(Linf(0.1), loss, steps=3)(net, images, labels)
    assert np.isfinite(result.loss).all()
    wrong = np.argmax(net(result.images), 1) != labels
    np.testing.assert_array_equal(result.success, wrong)


@pytest.mark.parametrize("loss, least", [("dlr", 3), ("targeted", 4)])
def test_too_few_classes(images, loss, least):
    net = tiny.make_classifier(least - 1)
    with pytest.raises(ValueError, match=f"at least {least} classes"):
        APGD(Linf(0.1), loss)(net, images, np.zeros(6, int))


def test_targets_are_tried_until_one_succeeds(images):
    net = make_net(10)
    labels = np.argmax(net(images), 1)
    found = [
        np.asarray(
            APGD(Linf(0.07), "targeted", steps=10, targets=targets)(
                net, images, labels
            ).success
        )
        for targets in (1, 9)
    ]
    assert np.all(found[1] >= found[0])
    assert np.sum(found[1]) > np.sum(found[0])


def test_restarts_keep_what_was_found(images):
    net = make_net(5)
    labels = np.argmax(net(images), 1)
    one, three = (
        APGD(Linf(0.06), steps=5, restarts=restarts)(net, images, labels)
        for restarts in (1, 3)
    )
    once = np.asarray(one.success)
    assert np.all(np.asarray(three.success) >= once)
    np.testing.assert_array_equal(
        np.asarray(three.images)[once], np.asarray(one.images)[once]
    )
    assert np.all((three.loss >= one.loss - 1e-6) | once | three.success)


def test_soft_labels_are_for_the_cross_entropy_alone(images):
    net = tiny.make_classifier(4)
    soft = np.full((6, 4), 0.1, "float32") + 0.6 * np.eye(4)[[0, 1, 2, 3, 0, 1]]
    assert np.all(np.isfinite(APGD(Linf(0.1), steps=2)(net, images, soft).loss))
    for loss in ("dlr", "targeted"):
        with pytest.raises(ValueError, match="needs hard labels"):
            APGD(Linf(0.1), loss, steps=2)(net, images, soft)


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_outputs_that_are_not_finite_count_as_misclassified(images, odd):
    def model(batch):
        logits = tf.pad(LINEAR(batch), [[0, 0], [0, 1]])
        bright = tf.reduce_mean(batch, [1, 2, 3]) > 0.5
        return tf.where(bright[:, None], odd, logits)

    images = images.copy()
    images[:3] += 0.25
    images[3:] -= 0.25
    labels = np.argmax(model(images), 1)
    result = APGD(Linf(0.001), steps=3)(model, images, labels)
    np.testing.assert_array_equal(result.success[:3], True)
    assert np.isfinite(result.images).all()


def test_gradient_samples_average_out_the_noise(images):
    class Noisy(keras.layers.Layer):
        def call(self, batch):
            noise = tf.random.normal(tf.shape(batch), stddev=0.5)
            score = tf.reduce_sum(WEIGHTS * batch * (1 + 8 * noise), [1, 2, 3])
            return tf.stack([50 + 0 * score, score], axis=1)

    net = keras.Sequential([keras.layers.Input(tiny.SHAPE), Noisy()])
    gains = []
    for samples in (1, 50):
        attack = APGD(Linf(0.02), steps=2, gradient_samples=samples)
        change = attack(net, images, np.zeros(6, int)).images - images
        gains.append(np.sum(WEIGHTS * change, (1, 2, 3)).mean())
    assert gains[1] > 1.1 * gains[0]


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"ball": 8 / 255}, "`ball` of APGD must be"),
        ({"ball": Latent}, "`ball` of APGD must be"),
        ({"loss": "hinge"}, "`loss` must be one of ce, dlr, targeted"),
        ({"steps": 0}, "`steps` must be"),
        ({"restarts": 1.5}, "`restarts` must be"),
        ({"targets": 0}, "`targets` must be"),
        ({"gradient_samples": 0}, "`gradient_samples` must be"),
        (FAR, "`larger_radii` is for an L1 ball"),
    ],
)
def test_wrong_settings_are_refused_at_once(settings, message):
    with pytest.raises(ValueError, match=message):
        APGD(**{"ball": Linf(0.1), **settings})
