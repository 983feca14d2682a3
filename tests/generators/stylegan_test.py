"""StyleGAN against NumPy, with weights as its PyTorch version names them."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf import seeds
from tests.generators import stylegan_reference as reference

SIZES = {"latent_size": 5, "width": 6}


def make(resolution=16, fused_from=128, **settings):
    """A generator with weights, and those as the reference takes them."""
    tensors = reference.random_tensors(
        resolution, fused_from=fused_from, **SIZES
    )
    generator = ij.generators.StyleGAN(resolution, **SIZES, **settings)
    generator.load_pytorch(tensors)
    return generator, tensors


def random_latents(generator, count=2):
    draws = np.random.default_rng(1)
    shape = (count, *generator.latent_shape)
    return draws.normal(size=shape).astype("float32")


@pytest.mark.parametrize("fused_from", [8, 128])
@pytest.mark.parametrize("resolution", [8, 16])
def test_images_by_numpy(resolution, fused_from):
    generator, tensors = make(resolution, fused_from)
    assert generator.latent_shape == (2 * np.log2(resolution) - 2, 5)
    latents = random_latents(generator)
    expected = (reference.synthesize(tensors, latents) + 1) / 2
    images = generator.decode(latents)
    assert images.shape == (2, resolution, resolution, 3)
    np.testing.assert_allclose(images, expected, atol=1e-5)
    assert 0.5 < np.std(expected) < 5


def test_samples_by_numpy():
    generator, tensors = make(64)
    normal = tf.random.stateless_normal([3, 5], seeds.derive(4, "sample"))
    styles = reference.map_to_styles(tensors, normal.numpy())[:, None]
    average = tensors["truncation.w_avg"]
    factors = np.where(np.arange(10) < 8, 0.7, 1.0)[:, None]
    latents = generator.sample_latents(3, seed=4)
    expected = average + factors * (styles - average)
    np.testing.assert_allclose(latents, expected, atol=1e-5)
    whole = generator.sample_latents(3, seed=4, truncation=1.0)
    np.testing.assert_allclose(whole, np.repeat(styles, 10, 1), atol=1e-5)
    np.testing.assert_array_equal(
        generator.sample(3, seed=4), generator.decode(latents)
    )


def test_images_are_functions_of_latents():
    generator, _ = make()
    latents = random_latents(generator)
    images = generator.decode(latents)
    np.testing.assert_array_equal(generator(latents), images)
    np.testing.assert_allclose(
        generator.decode(latents[1:]), images[1:], atol=1e-5
    )


def test_save_and_load(tmp_path):
    generator, _ = make()
    generator.save(tmp_path / "generator.keras")
    copy = keras.saving.load_model(tmp_path / "generator.keras")
    latents = random_latents(generator)
    np.testing.assert_array_equal(
        copy.decode(latents), generator.decode(latents)
    )
    np.testing.assert_array_equal(copy.sample(2), generator.sample(2))
    for each in (generator, copy):
        assert not each.trainable and each.trainable_weights == []


def test_mixed_precision_is_near():
    exact, _ = make()
    rough, _ = make(dtype="mixed_bfloat16")
    assert {weight.dtype for weight in rough.weights} == {"float32"}
    latents = random_latents(exact)
    images = rough.decode(latents)
    assert images.dtype == "float32"
    np.testing.assert_allclose(images, exact.decode(latents), atol=0.1)


@pytest.mark.variant
def test_latents_can_be_attacked():
    generator, _ = make(8)
    latents = random_latents(generator, 16)
    images = tf.clip_by_value(generator.decode(latents), 0, 1)
    keras.utils.set_random_seed(0)
    model = ij.models.small_cnn(3, width=4, image_shape=(8, 8, 3))
    attack = ij.attacks.OnManifoldPGD(
        generator, ij.spaces.Linf(0.2, step=0.05), steps=10
    )
    labels = tf.argmax(model(images), axis=-1)
    result = attack(model, images, labels, latents=latents)
    clean = keras.losses.sparse_categorical_crossentropy(
        labels, model(images), from_logits=True
    )
    assert np.all(result.loss > clean)
    assert np.max(result.budget["latent"]) <= 0.2 + 1e-6


@pytest.mark.parametrize("shape", [(2, 4, 6), (2, 5, 5), (4, 5), (2, 5)])
def test_latents_of_another_shape_are_refused(shape):
    generator = ij.generators.StyleGAN(8, **SIZES)
    with pytest.raises(
        ValueError, match=r"`latents` must have shape \(B, 4, 5"
    ):
        generator.decode(np.zeros(shape, "float32"))


@pytest.mark.parametrize(
    "name, value",
    [("resolution", 4), ("resolution", 48), ("latent_size", 0), ("width", 0)],
)
def test_wrong_settings_are_refused(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must"):
        ij.generators.StyleGAN(**{name: value})
