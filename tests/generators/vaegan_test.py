"""VAE-GAN: its losses by NumPy, and its steps one network at a time."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf import seeds
from tests import tiny

SHAPE = (8, 8, 1)
IMAGES = tiny.random_images(8, SHAPE)
FIELDS = ("kl", "reconstruction", "adversarial", "discriminator")


def make(optimizer=None, perturbed=True, eager=True, **settings):
    """Eager steps need no tracing, which takes most of a test's time."""
    keras.utils.set_random_seed(0)
    settings = {"latent_size": 3, "width": 4, **settings}
    generator = ij.generators.VAEGAN(SHAPE, **settings)
    if perturbed:
        # The first kernels are so small that nothing reaches the images.
        draws = np.random.default_rng(0)
        for weight in generator.trainable_weights:
            noise = draws.normal(size=weight.shape, scale=0.1)
            weight.assign_add(noise.astype(weight.dtype))
    generator.compile(
        optimizer=optimizer or keras.optimizers.Adam(1e-3), run_eagerly=eager
    )
    return generator


def fit(generator, epochs=1, **settings):
    settings = {"batch_size": 8, "shuffle": False, "verbose": 0, **settings}
    return generator.fit(IMAGES, epochs=epochs, **settings).history


def terms(images, mean, log_variance, decoded, real, false):
    """The parts of the losses, as the papers write them."""
    images, mean, log_variance, decoded, real, false = (
        np.asarray(each, "float64")
        for each in (images, mean, log_variance, decoded, real, false)
    )
    deviation = np.exp(log_variance / 2)
    kl = np.log(1 / deviation) + (deviation**2 + mean**2) / 2 - 0.5
    real, false = (1 / (1 + np.exp(-each[:, 0])) for each in (real, false))
    return {
        "kl": kl.sum(1),
        "reconstruction": np.abs(images - decoded).sum((1, 2, 3)),
        "adversarial": -np.log(false),
        "discriminator": -np.log(real) - np.log(1 - false),
    }


def forward(generator, seed=None):
    """What the networks say: in training with a seed, else of the means."""
    training = seed is not None
    mean, log_variance = generator.encoder(IMAGES, training=training)
    noise = seeds.normal(mean, seed) if training else 0.0
    codes = mean + tf.exp(log_variance / 2) * noise
    decoded = generator.decoder(codes, training=training)
    real = generator.discriminator(IMAGES, training=training)
    false = generator.discriminator(decoded, training=training)
    return IMAGES, mean, log_variance, decoded, real, false


def key(step=0):
    return seeds.derive(0, "train", step)


def test_losses_by_numpy():
    generator = make()
    expected = terms(*forward(make(), key()))
    history = fit(generator)
    assert set(history) == set(FIELDS)
    for name, each in expected.items():
        np.testing.assert_allclose(history[name][0], each.mean(), rtol=1e-5)


def test_losses_of_an_evaluation_are_of_means_in_inference_mode():
    generator = make()
    expected = terms(*forward(generator))
    before = generator.get_weights()
    found = generator.evaluate(IMAGES, verbose=0, return_dict=True)
    for name, each in expected.items():
        np.testing.assert_allclose(found[name], each.mean(), rtol=1e-5)
    for one, other in zip(before, generator.get_weights()):
        np.testing.assert_array_equal(one, other)


def test_each_network_descends_its_own_loss():
    """Steps of length 1 are the gradients of three losses, made apart."""
    twin = make(beta=2.0, gamma=0.5)
    with tf.GradientTape(persistent=True) as tape:
        _, mean, log_variance, decoded, real, false = forward(twin, key())
        variance = tf.exp(log_variance)
        kl = -0.5 * tf.reduce_sum(1 + log_variance - mean**2 - variance)
        distance = tf.reduce_sum(tf.abs(IMAGES - decoded))
        fooled = -tf.reduce_sum(tf.math.log_sigmoid(false))
        judged = -tf.reduce_sum(tf.math.log_sigmoid(real))
        judged -= tf.reduce_sum(tf.math.log_sigmoid(-false))
        sums = {
            "encoder": kl + 2.0 * distance + 0.5 * fooled,
            "decoder": 2.0 * distance + 0.5 * fooled,
            "discriminator": 0.5 * judged,
        }
    generator = make(keras.optimizers.SGD(1.0), beta=2.0, gamma=0.5)
    fit(generator)
    for name, loss in sums.items():
        old = getattr(twin, name).trainable_variables
        new = getattr(generator, name).trainable_variables
        for gradient, one, other in zip(tape.gradient(loss, old), old, new):
            np.testing.assert_allclose(
                one - other, gradient / 8, rtol=1e-3, atol=1e-5
            )


@pytest.mark.variant
def test_it_learns_to_reconstruct():
    images = ij.data.load("digits", "train").take(400).scaled()
    generator = make(
        keras.optimizers.Adam(5e-3),
        perturbed=False,
        eager=False,
        latent_size=10,
        width=16,
    )
    generator.fit(images, batch_size=50, epochs=30, verbose=0)
    others = {
        "the mean": images.mean(0),
        "another": generator(images[::-1]),
    }
    distance = np.abs(generator(images) - images).mean()
    for name, other in others.items():
        assert distance < 0.85 * np.abs(other - images).mean(), name


def test_codes_lie_within_the_bound():
    generator = make(bound=0.01)
    mean, _ = generator.encoder(IMAGES, training=False)
    assert np.abs(mean).max() > 0.02
    np.testing.assert_array_equal(
        generator.encode(IMAGES), np.clip(mean, -0.01, 0.01)
    )


@pytest.mark.parametrize("shape", [(32, 32, 3), (8, 8, 1), (28, 12, 2)])
def test_shapes(shape):
    generator = ij.generators.VAEGAN(shape, latent_size=5, width=4)
    latents = generator.encode(tiny.random_images(2, shape))
    assert latents.shape == (2, *generator.latent_shape) == (2, 5)
    images = generator.decode(latents)
    assert images.shape == (2, *shape)
    assert np.min(images) >= 0 and np.max(images) <= 1


def test_samples_are_functions_of_the_seed():
    generator = make(bound=0.5)
    images = generator.sample(300, seed=1)
    assert images.shape == (300, *SHAPE)
    np.testing.assert_allclose(images, generator.sample(300, 1), atol=1e-6)
    assert np.abs(images - generator.sample(300, seed=2)).max() > 1e-3


@pytest.mark.sampled
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_save_and_load(tmp_path, dtype):
    generator = make(dtype=dtype, beta=2.0, bound=1.5, seed=3)
    fit(generator)
    generator.save(tmp_path / "generator.keras")
    copy = keras.saving.load_model(tmp_path / "generator.keras")
    assert copy.get_config() == generator.get_config()
    np.testing.assert_array_equal(copy(IMAGES), generator(IMAGES))
    assert generator(IMAGES).dtype == "float32"
    one, other = fit(generator), fit(copy)
    for name in FIELDS:
        np.testing.assert_allclose(one[name], other[name], rtol=1e-5)


@pytest.mark.variant
def test_two_replicas_take_the_steps_of_one():
    one = make()
    with tiny.two_replicas().scope():
        two = make(eager=False)
    histories = [fit(generator, epochs=2) for generator in (one, two)]
    for name in FIELDS:
        np.testing.assert_allclose(*[h[name] for h in histories], rtol=1e-4)
    for single, double in zip(one.get_weights(), two.get_weights()):
        np.testing.assert_allclose(single, double, atol=1e-4)


def test_a_loss_scale_changes_no_step():
    optimizers = keras.optimizers
    plain = make(optimizers.SGD(1e-3))
    fit(plain)
    for optimizer in (
        optimizers.SGD(1e-3, loss_scale_factor=1024.0),
        optimizers.LossScaleOptimizer(optimizers.SGD(1e-3)),
    ):
        generator = make(optimizer)
        fit(generator)
        for one, other in zip(generator.get_weights(), plain.get_weights()):
            np.testing.assert_allclose(one, other, atol=1e-6)


def test_labels_are_ignored_and_dicts_taken():
    expected = make()
    fit(expected)
    data = {"image": IMAGES, "latent": np.zeros((8, 3), "float32")}
    given = make()
    given.fit(data, np.arange(8), batch_size=8, shuffle=False, verbose=0)
    np.testing.assert_array_equal(given(IMAGES), expected(IMAGES))


@pytest.mark.parametrize("name", ["sample_weight", "class_weight"])
def test_weights_of_samples_are_refused(name):
    weights = np.ones(8) if name == "sample_weight" else {0: 1.0}
    with pytest.raises(ValueError, match="must be None"):
        make().fit(IMAGES, np.zeros(8), verbose=0, **{name: weights})


def test_divergence_is_an_error():
    generator = make(keras.optimizers.SGD(1e30))
    with pytest.raises(ValueError, match="gradient of .* is not finite"):
        fit(generator, epochs=3)


def test_pixels_are_refused():
    with pytest.raises(ValueError, match="`images` must lie in .*255"):
        make().fit(255 * IMAGES, verbose=0)


def test_latents_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"`latents` must have shape \(B, 3\)"):
        make().decode(np.zeros((2, 4), "float32"))


@pytest.mark.parametrize(
    "name, value",
    [
        ("image_shape", (7, 8, 1)),
        ("image_shape", (4, 4, 1)),
        ("image_shape", (8, 8)),
        ("latent_size", 0),
        ("width", 0),
        ("beta", -1.0),
        ("gamma", float("nan")),
        ("bound", 0.0),
        ("dtype", "float16"),
    ],
)
def test_wrong_settings_are_refused(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must"):
        ij.generators.VAEGAN(**{name: value})
