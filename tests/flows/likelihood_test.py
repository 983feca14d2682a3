"""Maximum likelihood of a Gaussian, whose answers are known."""

import json
import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from ijsat_tf import checks, seeds
from ijsat_tf.flows import LikelihoodModel, WarmUp
from tests import tiny

BINS = 5
RANDOM = np.random.default_rng(0)
IMAGES = np.float32(RANDOM.integers(0, BINS, size=(8, 2, 2, 3)) / (BINS - 1))
MEANS = np.array([0.0, 1.0, 2.0])
# Bits/dim are sum (x - mean)^2 / (2 log 2) / 3: one step is the whole way.
RATE = 3 * math.log(2)


class Gaussian(LikelihoodModel):
    """Independent pixels, with deviation 1 and a trained mean."""

    def __init__(self, gradient_clip=1e9, seed=0):
        super().__init__(BINS, gradient_clip, seed)
        self.mean = self.add_weight(shape=(3,), name="mean")
        self.mean.assign(MEANS)
        self.fitted_bits = self.add_weight(shape=(), trainable=False)
        self.built = True

    def _ready(self, images):
        return checks.images(images)

    def _log_prob(self, images):
        squares = tf.square(images - self.mean) + math.log(2 * math.pi)
        return -tf.reduce_sum(squares, axis=[1, 2, 3]) / 2


class Uniform(LikelihoodModel):
    """The uniform density on [0, bins / (bins - 1))."""

    def __init__(self):
        super().__init__(bins=17, gradient_clip=1.0, seed=0)
        self.built = True

    def _ready(self, images):
        return images

    def _log_prob(self, images):
        dims = math.prod(images.shape[1:])
        return tf.fill(tf.shape(images)[:1], -dims * math.log(17 / 16))


class Edge(Gaussian):
    """A finite density without a finite gradient."""

    def _log_prob(self, images):
        root = tf.sqrt(tf.reduce_sum(0.0 * self.mean))
        return super()._log_prob(images) + root


def _compiled(model, rate=RATE):
    model.compile(optimizer=keras.optimizers.SGD(rate))
    return model


def _fit(model, x=IMAGES, y=None, epochs=1, **settings):
    settings = {"batch_size": 8, "shuffle": False, "verbose": 0, **settings}
    return model.fit(x, y, epochs=epochs, **settings)


def _dequantized(step, seed=0):
    """The images that step sees, in [0, 1 + 1 / 4)."""
    key = seeds.derive(seed, "dequantize", step)
    return Gaussian().dequantize(tf.constant(IMAGES), key).numpy()


def test_noise_is_uniform_within_a_grey_level():
    noise = _dequantized(0) - IMAGES
    assert noise.min() >= 0 and noise.max() < 1 / (BINS - 1)
    many = Gaussian().dequantize(tf.zeros([20, 10, 10, 3]), seeds.derive(0))
    width = stats.uniform(0, 1 / (BINS - 1))
    assert stats.kstest(many.numpy().ravel(), width.cdf).pvalue > 0.01


def test_a_uniform_density_costs_the_bits_of_the_grey_levels():
    bits = _compiled(Uniform()).evaluate(IMAGES, verbose=0)
    np.testing.assert_allclose(bits, math.log2(17), rtol=1e-6)


def test_bits_are_those_of_the_probability_of_grey_levels():
    for level in range(BINS):
        low = level / (BINS - 1)
        pixels = tf.fill([20000, 1, 1, 3], low)
        bits = Gaussian()._bits_per_dim(pixels, seeds.derive(level))
        below, up_to = (
            stats.norm(MEANS).cdf(end) for end in (low, low + 1 / (BINS - 1))
        )
        np.testing.assert_allclose(
            np.mean(2.0 ** (-3 * bits.numpy())),
            np.prod(up_to - below),
            rtol=0.01,
        )


def test_evaluate_gives_the_closed_form():
    model = _compiled(Gaussian(seed=3))
    key = seeds.derive(3, "dequantize")
    images = model.dequantize(tf.constant(IMAGES), key).numpy()
    density = stats.norm(MEANS).logpdf(images)
    expected = math.log2(BINS - 1) - density.mean() / math.log(2)
    bits = model.evaluate(IMAGES, batch_size=8, verbose=0)
    np.testing.assert_allclose(bits, expected, rtol=1e-5)


def test_a_step_goes_to_the_optimum_where_its_length_is_right():
    model = _compiled(Gaussian())
    for step in range(2):
        _fit(model)
        expected = _dequantized(step).mean((0, 1, 2))
        np.testing.assert_allclose(model.mean, expected, rtol=1e-5)


def test_fit_reaches_the_mean_of_the_data_and_tells_bits():
    model = _compiled(Gaussian())
    history = _fit(model, epochs=30, shuffle=True).history
    assert set(history) == {"bits_per_dim"}
    expected = IMAGES.mean((0, 1, 2)) + 0.5 / (BINS - 1)
    np.testing.assert_allclose(model.mean, expected, atol=0.05)
    assert history["bits_per_dim"][-1] < history["bits_per_dim"][0] - 0.2


def test_labels_are_ignored_and_data_sets_are_taken():
    expected = _compiled(Gaussian())
    _fit(expected)
    labelled = _compiled(Gaussian())
    _fit(labelled, y=np.arange(8))
    data = tf.data.Dataset.from_tensor_slices((IMAGES, np.arange(8)))
    from_data = _compiled(Gaussian())
    from_data.fit(data.batch(8), shuffle=False, verbose=0)
    np.testing.assert_array_equal(labelled.mean, expected.mean)
    np.testing.assert_array_equal(from_data.mean, expected.mean)


@pytest.mark.parametrize(
    "weights",
    [{"sample_weight": np.ones(8)}, {"class_weight": {0: 1.0, 1: 2.0}}],
)
def test_weights_of_samples_are_refused(weights):
    with pytest.raises(ValueError, match=f"`{[*weights][0]}`"):
        _fit(_compiled(Gaussian()), y=np.zeros(8, int), **weights)


@pytest.mark.parametrize("steps", ["fit", "evaluate"])
def test_pixels_are_refused(steps):
    model = _compiled(Gaussian())
    with pytest.raises(ValueError, match="`images` must lie in .*255"):
        getattr(model, steps)(IMAGES * 255, verbose=0)
    np.testing.assert_array_equal(model.mean, MEANS)


@pytest.mark.parametrize("clip", [0.01, 1e9])
def test_the_norm_of_a_step_is_bounded(clip):
    model = _compiled(Gaussian(clip), rate=1.0)
    _fit(model)
    gradient = MEANS - _dequantized(0).mean((0, 1, 2))
    gradient /= 3 * math.log(2)
    norm = np.linalg.norm(gradient)
    expected = gradient * min(1, clip / norm)
    np.testing.assert_allclose(MEANS - model.mean.numpy(), expected, rtol=1e-3)


@pytest.mark.variant
@pytest.mark.sampled
@pytest.mark.parametrize("clip", [0.01, 1e9])
def test_two_replicas_take_the_steps_of_one(clip):
    one = _compiled(Gaussian(clip))
    strategy = tiny.two_replicas()
    with strategy.scope():
        two = _compiled(Gaussian(clip))
    _fit(one, epochs=2)
    _fit(two, epochs=2)
    np.testing.assert_allclose(two.mean, one.mean, rtol=1e-5)


def test_a_gradient_that_is_not_finite_names_its_weight():
    model = _compiled(Edge())
    with pytest.raises(ValueError, match="gradient of .*mean is not finite"):
        _fit(model)
    np.testing.assert_array_equal(model.mean, MEANS)


def _scaled(rate=RATE):
    return [
        keras.optimizers.SGD(rate, loss_scale_factor=1024.0),
        keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(rate)),
    ]


@pytest.mark.sampled
@pytest.mark.parametrize("clip", [0.01, 1e9])
def test_a_loss_scale_changes_no_step(clip):
    plain = _compiled(Gaussian(clip))
    _fit(plain)
    for optimizer in _scaled():
        model = Gaussian(clip)
        model.compile(optimizer)
        _fit(model)
        np.testing.assert_allclose(model.mean, plain.mean, rtol=1e-5)


def test_an_overflow_under_a_dynamic_loss_scale_skips_the_step():
    static, dynamic = _scaled()
    model = Edge()
    model.compile(dynamic)
    _fit(model, epochs=2)
    np.testing.assert_array_equal(model.mean, MEANS)
    assert model.optimizer.dynamic_scale == 2**13
    model.compile(static)
    with pytest.raises(ValueError, match="gradient of .*mean is not finite"):
        _fit(model)


def test_warm_up_rises_linearly_and_stays():
    warm_up = WarmUp(0.1, steps=4)
    rates = [float(warm_up(tf.constant(step))) for step in range(6)]
    np.testing.assert_allclose(
        rates, [0.025, 0.05, 0.075, 0.1, 0.1, 0.1], rtol=1e-6
    )
    assert float(WarmUp(0.1, steps=0)(0)) == pytest.approx(0.1)


def test_warm_up_multiplies_another_schedule():
    halved = keras.optimizers.schedules.ExponentialDecay(1.0, 1, 0.5)
    warm_up = WarmUp(halved, steps=2)
    rates = [float(warm_up(tf.constant(step))) for step in range(4)]
    np.testing.assert_allclose(rates, [0.5, 0.5, 0.25, 0.125], rtol=1e-6)


@pytest.mark.parametrize("decay", [False, True])
def test_an_optimizer_with_warm_up_survives_json(decay):
    rate = keras.optimizers.schedules.CosineDecay(0.3, 10) if decay else 0.3
    optimizer = keras.optimizers.Adam(WarmUp(rate, steps=7))
    config = json.dumps(keras.optimizers.serialize(optimizer))
    again = keras.optimizers.deserialize(json.loads(config))
    expected = WarmUp(rate, steps=7)
    for step in range(10):
        again.iterations.assign(step)
        assert float(again.learning_rate) == pytest.approx(
            float(expected(step))
        )
