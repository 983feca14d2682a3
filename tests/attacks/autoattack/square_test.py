"""Square: the moves of Algorithms 2 and 3, and the promises of an attack."""

import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.attacks import Square, require_untargeted
from ijsat_tf.attacks.autoattack.l2_windows import L2Windows, pyramids
from ijsat_tf.attacks.autoattack.linf_windows import LinfWindows
from ijsat_tf.attacks.autoattack.windows import sides
from ijsat_tf.spaces import L2, Linf, Pixels
from tests import tiny

SEED = tf.constant([3, 4])


@pytest.fixture
def noise():
    # Black and white pixels too.
    draw = np.random.default_rng(0).uniform(-0.5, 1.5, (6, *tiny.SHAPE))
    return np.clip(draw, 0, 1).astype("float32")


def test_the_schedule_is_the_official_one():
    found = sides(5000, 32, 32)
    ends = (0, 11, 51, 201, 501, 1001, 2001, 4001)
    assert [found[end] for end in ends] == [29, 20, 14, 10, 7, 5, 4, 3]
    assert np.all(np.diff(found)[np.array(ends[1:]) - 1] < 0)
    assert np.count_nonzero(np.diff(found)) == 7
    odd = sides(10_000, 32, 32, least=3, odd=True)
    assert [odd[end] for end in ends] == [29, 21, 15, 11, 7, 5, 5, 3]
    assert np.all(odd[4001:] == 3)
    # Never longer than the image, nor shorter than a pixel.
    assert sides(1, 4, 32)[0] == 4
    assert sides(10_000, 2, 2)[-1] == 1


def test_pyramids_have_norm_one_and_two_signs():
    for side in (1, 2, 3, 5, 8, 29):
        found = pyramids(side)
        assert np.linalg.norm(found) == pytest.approx(1)
        assert np.all(found[: side // 2] > 0)
        assert np.all(found[side // 2 :] < 0)
    # 1 + 1/4 + 1/9 on top, 1/4 + 1/9 and 1/9 around, by hand.
    ring = np.array([1 / 9, 1 / 4 + 1 / 9, 1 + 1 / 4 + 1 / 9])
    upper = pyramids(5)[:2]
    expected = ring[[[0, 1, 1, 1, 0], [0, 1, 2, 1, 0]]]
    np.testing.assert_allclose(upper / upper.max(), expected / expected.max())


def test_linf_moves_only_to_the_border(noise):
    windows = LinfWindows(0.05, tf.constant(noise), 300, SEED)
    low, high = np.maximum(noise - 0.05, 0), np.minimum(noise + 0.05, 1)
    start = windows.start().numpy()
    known = windows.of(tf.range(6))
    assert np.all((start == low) | (start == high))
    # Each stripe has one sign from top to bottom.
    signs = np.sign(start - noise)
    free = (low > 0) & (high < 1)
    for row in range(1, 8):
        both = free[:, row] & free[:, 0]
        assert np.all((signs[:, row] == signs[:, 0])[both])
    drawn = set()
    for query in range(0, 300, 7):
        asked = windows.propose(query, tf.constant(noise), known).numpy()
        moved = asked != noise
        np.testing.assert_allclose(
            asked, np.where(moved, np.where(asked > noise, high, low), noise)
        )
        rows = np.flatnonzero(moved.any(axis=(0, 2, 3)))
        columns = np.flatnonzero(moved.any(axis=(0, 1, 3)))
        side = sides(300, 8, 8)[query]
        assert np.ptp(rows) == np.ptp(columns) == side - 1
        assert moved[:, rows[0] : rows[-1] + 1].any()
        # A sign a channel, shared by the batch.
        for channel in range(2):
            change = np.sign(asked - noise)[..., channel]
            assert len(np.unique(change[change != 0])) == 1
        drawn.add((rows[0], columns[0], side))
        # The last place is never drawn.
        assert rows[-1] < 7 or side == 8
    assert len(drawn) > 10


def test_l2_starts_and_stays_on_the_sphere():
    images = np.full((6, 32, 32, 3), 0.5, "float32")
    windows = L2Windows(0.5, tf.constant(images), 6000, SEED)
    known = windows.of(tf.range(6))
    best = windows.start()
    changed = (best - images).numpy()
    # 5 by 5 tiles of 6 by 6, the border left alone.
    assert np.all(changed[:, 1:31, 1:31] != 0)
    assert np.count_nonzero(changed) == 6 * 30 * 30 * 3
    for query in (0, 20, 100, 700, 5000):
        asked = windows.propose(query, best, known)
        length = np.linalg.norm(np.reshape(asked - images, (6, -1)), axis=1)
        np.testing.assert_allclose(length, 0.5, rtol=1e-5)
        best = asked


def test_l2_moves_the_norm_of_one_window_into_another():
    """Algorithm 3, written out for one image and channel in NumPy."""
    images = np.full((1, 32, 32, 1), 0.5, "float32")
    windows = L2Windows(0.5, tf.constant(images), 3000, SEED)
    best = windows.start().numpy()
    for query in (5, 40, 150, 400, 2500):
        asked = windows.propose(
            query, tf.constant(best), windows.of(tf.range(1))
        )
        side = sides(3000, 32, 32, 3, True)[query]
        (top, left), (other_top, other_left) = windows.corners[query].numpy()
        first = np.zeros((32, 32), bool)
        first[top : top + side, left : left + side] = True
        second = np.zeros((32, 32), bool)
        second[other_top : other_top + side, other_left : other_left + side] = 1
        change = np.float64((best - images)[0, :, :, 0])
        pyramid = pyramids(side)
        if windows.turned[query]:
            pyramid = pyramid.T
        inside = change[first].reshape(side, side)
        both = []
        for sign in (1, -1):
            new = sign * pyramid + inside / (np.linalg.norm(inside) + 1e-12)
            budget = max(0.25 - np.sum(change**2), 0)
            budget += np.sum(change[first | second] ** 2)
            expected = np.where(second, 0, change)
            new *= np.sqrt(budget) / np.linalg.norm(new)
            expected[first] = new.ravel()
            both.append(0.5 * expected / np.linalg.norm(expected))
        found = (asked - images)[0, :, :, 0]
        gap = min(np.abs(found - expected).max() for expected in both)
        assert gap < 1e-6
        best = asked.numpy()


@pytest.mark.parametrize("classes", [2, 10, 100])
@pytest.mark.parametrize("ball", [Linf(0.02), L2(0.2)])
def test_keeps_the_ball_and_the_range(noise, classes, ball):
    model = tiny.make_classifier(classes)
    labels = np.argmax(model(noise), 1)
    labels[0] = (labels[0] + 1) % classes
    result = Square(ball, queries=30, restarts=2)(model, noise, labels)
    change = np.reshape(result.images - noise, (6, -1))
    order = np.inf if isinstance(ball, Linf) else 2
    norms = np.linalg.norm(change, order, axis=1)
    np.testing.assert_allclose(result.budget["pixels"], norms, atol=1e-6)
    assert np.all(norms <= ball.radius + 1e-6)
    assert np.min(result.images) >= 0 and np.max(result.images) <= 1
    logits = model(result.images).numpy()
    np.testing.assert_array_equal(result.success, logits.argmax(1) != labels)
    clean = ~result.success.numpy() | (np.arange(6) == 0)
    np.testing.assert_array_equal(result.images[clean], noise[clean])


@pytest.mark.parametrize("ball", [Linf(0.02), L2(0.2)])
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


@pytest.mark.parametrize("ball", [Linf(0.05), L2(0.3)])
def test_finds_what_a_linear_model_lets_it_find(noise, ball):
    """A quarter of the gain that the ball allows is found soon."""
    weights, _ = tiny.make_linear()
    image = 0.25 + 0.5 * noise[:1]
    dual = 1 if isinstance(ball, Linf) else 2
    reach = ball.radius * np.linalg.norm(np.ravel(weights), dual)

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
