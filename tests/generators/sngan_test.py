"""SNGAN on tiny images."""

import pathlib
from typing import NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf.generators import SNGAN
from ijsat_tf.generators.sngan import hinge
from tests import tiny

SHAPE = (8, 8, 1)
RANDOM = np.random.default_rng(0)
IMAGES = np.float32(RANDOM.integers(0, 17, (24, *SHAPE)) / 16)
LATENTS = np.float32(RANDOM.normal(size=(3, 5)))


def make(optimizer=None, **settings):
    keras.utils.set_random_seed(0)
    defaults = dict(latent_size=5, width=6, discriminator_width=4)
    defaults |= dict(critic_steps=2, bins=17)
    gan = SNGAN(SHAPE, **{**defaults, **settings})
    gan.compile(optimizer)
    return gan


def falling():
    rate = keras.optimizers.schedules.PolynomialDecay(0.02, 6, 0.0)
    return keras.optimizers.SGD(rate, 0.9)


def fit(gan, epochs=1, **settings):
    settings = {"batch_size": 8, "shuffle": False, "verbose": 0, **settings}
    return gan.fit(IMAGES, epochs=epochs, **settings)


def assert_same(gan, expected, atol=0.0):
    for mine, its in zip(state(gan), expected, strict=True):
        np.testing.assert_allclose(mine, its, rtol=0, atol=atol)


def state(gan):
    optimizers = gan.optimizer.variables + gan.discriminator_optimizer.variables
    return gan.get_weights() + [np.array(each) for each in optimizers]


class Run(NamedTuple):
    """An epoch of three steps; do not train it on."""

    gan: SNGAN
    folder: pathlib.Path
    logs: dict
    state: list


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sngan")
    gan = make(falling())
    logs = fit(gan).history
    gan.save(folder / "sngan.keras")
    return Run(gan, folder, logs, state(gan))


@pytest.fixture(scope="module")
def trained(run):
    """Weights that no symmetry and no zero hides."""
    gan = make()
    gan.set_weights(run.gan.get_weights())
    for weight in gan.trainable_weights:
        weight.assign_add(0.1 * RANDOM.normal(size=weight.shape))
    return gan


def test_sizes_are_those_of_the_source():
    gan = SNGAN()
    norms, block = 2 * 2 * 256, 256 * (2 * 9 * 256 + 256 + 3)
    assert gan.generator.count_params() - 7 * 2 * 256 == (
        129 * 4096 + 3 * (block + norms) + 2 * 256 + 3 * (9 * 256 + 1)
    )
    assert gan.discriminator.output_shape == (None, 1)
    assert [
        gan.discriminator.get_layer(f"block{number}_conv2").output.shape[1]
        for number in (1, 2, 3, 4)
    ] == [32, 16, 8, 8]


@pytest.mark.parametrize("side", [8, 16, 64])
def test_other_sizes(side):
    gan = SNGAN((side, side, 2), 3, width=2, discriminator_width=2)
    images = gan.sample(2, seed=1)
    assert images.shape == (2, side, side, 2)
    assert gan.latent_shape == (3,)
    assert 0 <= np.min(images) and np.max(images) <= 1
    np.testing.assert_array_equal(images, gan.sample(2, seed=1))
    assert np.abs(images - gan.sample(2, seed=2)).max() > 0
    assert gan.discriminator(images).shape == (2, 1)


def test_the_hinge_loss():
    real, fake = RANDOM.normal(size=(2, 9), scale=2)
    expected = [max(0, 1 - r) + max(0, 1 + f) for r, f in zip(real, fake)]
    np.testing.assert_allclose(hinge(real, fake), expected)


def test_the_losses_of_evaluate_and_what_it_takes():
    gan = make(seed=3)
    seed = ij.seeds.derive(3, "test")
    real, fake = gan._judged(tf.constant(IMAGES), seed, training=False)
    expected = np.maximum(0, 1 - real) + np.maximum(0, 1 + fake)
    expected = [expected.mean(), -np.mean(fake)]
    found = gan.evaluate(IMAGES, batch_size=24, verbose=0)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    for data in ((IMAGES, np.arange(24)), {"image": IMAGES}):
        np.testing.assert_array_equal(gan._images(data), IMAGES)


def test_images_inside_have_the_noise_of_one_grey_level():
    gan = make()
    inside = gan._dequantized(tf.constant(IMAGES), ij.seeds.derive(0)).numpy()
    assert inside.min() >= -1 and inside.max() <= 1
    levels = np.floor((inside + 1) / 2 * 17)
    np.testing.assert_array_equal(levels, np.round(IMAGES * 16))
    assert np.std((inside + 1) / 2 * 17 - levels) == pytest.approx(
        12**-0.5, rel=0.1
    )


def test_a_step_updates_the_discriminator_more_often(run):
    assert set(run.logs) == {"discriminator_loss", "generator_loss"}
    assert run.gan.optimizer.iterations == 3
    assert run.gan.discriminator_optimizer.iterations == 6


def test_both_learning_rates_fall_together(run):
    loaded = keras.saving.load_model(run.folder / "sngan.keras")
    for each in (loaded.optimizer, loaded.discriminator_optimizer):
        assert float(each.learning_rate) == pytest.approx(0.01)


@pytest.mark.variant
def test_a_loss_scale_changes_no_step(run):
    gan = make(keras.optimizers.LossScaleOptimizer(falling()))
    fit(gan)
    for one, other in zip(gan.get_weights(), run.gan.get_weights()):
        np.testing.assert_allclose(one, other, atol=1e-6)
    for each in (gan.optimizer, gan.discriminator_optimizer):
        assert isinstance(each, keras.optimizers.LossScaleOptimizer)
        assert float(each.learning_rate) == pytest.approx(0.01)


def test_the_default_optimizers_are_those_of_the_source():
    gan = make()
    gan.compile()
    for each in (gan.optimizer, gan.discriminator_optimizer):
        assert isinstance(each, keras.optimizers.Adam)
        assert float(each.learning_rate) == pytest.approx(2e-4)
        assert (each.beta_1, each.beta_2) == (0.0, 0.9)
    gan.compile(discriminator_optimizer=keras.optimizers.SGD(0.5))
    assert float(gan.discriminator_optimizer.learning_rate) == 0.5


def test_what_is_saved_is_loaded(run):
    loaded = keras.saving.load_model(run.folder / "sngan.keras")
    assert_same(loaded, run.state)


def test_one_that_is_not_compiled_is_saved(tmp_path):
    gan = SNGAN(SHAPE, 5, 6, 4)
    gan.save(tmp_path / "sngan.keras")
    copy = keras.saving.load_model(tmp_path / "sngan.keras")
    np.testing.assert_array_equal(copy.decode(LATENTS), gan.decode(LATENTS))


@pytest.mark.variant
def test_two_replicas_take_the_steps_of_one(run):
    # Adam would make steps of the rounding errors of gradients of 0, which
    # biases before BatchNorm have.
    with tiny.two_replicas().scope():
        two = make(falling())
    fit(two)
    assert_same(two, run.state, atol=2e-5)


def test_a_divergence_ends_the_run_before_anything_is_saved(tmp_path):
    gan = make(critic_steps=1)
    backup = ij.training.Backup(tmp_path / "checkpoints")
    weights = gan.get_weights()
    for network in (gan.generator, gan.discriminator):
        gan.set_weights(weights)
        weight = network.trainable_weights[0]
        weight.assign(np.nan * weight)
        with pytest.raises(ValueError, match="is not finite; lower the"):
            fit(gan, callbacks=[backup])
        assert not backup.folder.exists()


@pytest.mark.parametrize(
    "shape", [(8, 16, 3), (12, 12, 3), (4, 4, 3), (28, 28, 1), (8, 8)]
)
def test_other_sides_are_refused(shape):
    with pytest.raises(ValueError, match="4 \\* 2\\^n"):
        SNGAN(shape)


def test_what_cannot_be_trained_on_is_refused():
    gan = make()
    with pytest.raises(ValueError, match="`critic_steps` = 2 .*Received: 1"):
        gan._images((IMAGES[:1],))
    with pytest.raises(ValueError, match="`images` must lie in"):
        gan._images((IMAGES * 255,))
    with pytest.raises(ValueError, match="sample_weight"):
        gan._images((IMAGES, None, np.ones(24)))
    with pytest.raises(ValueError, match="no `loss`"):
        gan.compile(loss="mse")
    with pytest.raises(ValueError, match="`latents` must have shape"):
        gan.decode(np.zeros((2, 4), "float32"))
    with pytest.raises(ValueError, match="`count`"):
        gan.sample(0)
    with pytest.raises(ValueError, match="`dtype`"):
        make(dtype="mixed_float16")


def test_narrow_networks_give_wide_images(trained):
    narrow = make(dtype="mixed_bfloat16")
    narrow.set_weights(trained.get_weights())
    images = narrow.decode(LATENTS)
    assert images.dtype == tf.float32
    np.testing.assert_allclose(images, trained.decode(LATENTS), atol=0.03)


def test_attacks_search_its_latents():
    gan = make()
    images = gan.decode(LATENTS)
    _, model = tiny.make_linear(SHAPE)
    attack = ij.attacks.OnManifoldPGD(gan, ij.spaces.Linf(0.1), steps=3)
    result = attack(model, images, np.zeros(3, int), latents=LATENTS)
    before = ij.losses.cross_entropy(tf.one_hot([0] * 3, 2), model(images))
    assert np.all(result.loss > before)


@pytest.mark.variant
def test_it_learns_a_toy_distribution():
    """Upper halves of either brightness, lower halves of the other, in
    bfloat16."""
    keras.utils.set_random_seed(0)
    level = RANDOM.choice([0.25, 0.75], (256, 1, 1, 1))
    images = np.where(np.arange(8)[:, np.newaxis] < 4, level, 1 - level)
    images = np.float32(images + np.zeros((256, *SHAPE)))
    gan = SNGAN(SHAPE, 4, 16, 16, 1, dtype="mixed_bfloat16")
    gan.compile(keras.optimizers.Adam(2e-3, beta_1=0.0, beta_2=0.9))

    def distance():
        made = gan.sample(250).numpy().reshape(250, 64)
        return ij.evaluation.frechet_distance(made, images.reshape(256, 64))

    before = distance()
    gan.fit(images, batch_size=64, epochs=40, verbose=0)
    assert distance() < 0.1 * before
