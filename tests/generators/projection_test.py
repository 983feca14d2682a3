"""Projections against closed forms, and against their own definition."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf import seeds
from ijsat_tf.generators import Projection
from ijsat_tf.models import LPIPS, PerceptualDistance
from tests import tiny

RANDOM = np.random.default_rng(0)
MATRIX = RANDOM.normal(size=(5, 128), scale=0.02).astype("float32")


class Linear:
    """G(z) = 1/2 + A z."""

    latent_shape = (5,)

    def decode(self, latents):
        return tf.reshape(0.5 + latents @ MATRIX, [-1, *tiny.SHAPE])


class Halves:
    """The same of two latents."""

    latent_shapes = [(2,), (3,)]

    def decode(self, latents):
        return Linear().decode(tf.concat(latents, axis=1))


class Pixels:
    """A distance whose square is the squared error."""

    def features(self, images):
        return tf.reshape(images, [-1, 128])

    def prepare(self):
        return self.features


@pytest.fixture(scope="module")
def decoder():
    keras.utils.set_random_seed(0)
    return tiny.Decoder()


@pytest.fixture(scope="module")
def perceptual():
    keras.utils.set_random_seed(0)
    network = ij.models.small_cnn(2, width=4, image_shape=tiny.SHAPE)
    return PerceptualDistance(network, ["stage1", "stage2"])


@pytest.fixture(scope="module")
def projection(decoder, perceptual):
    """Shared, so that it is traced once."""
    return Projection(decoder, perceptual, steps=5, l1=0.5)


def test_least_squares_by_their_closed_form(images):
    projection = Projection(
        Linear(), Pixels(), l1=0, steps=400, learning_rate=0.05
    )
    found = projection(images)
    wanted = images.reshape(-1, 128) - 0.5
    solution, *_ = np.linalg.lstsq(MATRIX.T, wanted.T, rcond=None)
    np.testing.assert_allclose(found.latents, solution.T, atol=2e-3)
    errors = np.sum((solution.T @ MATRIX - wanted) ** 2, axis=1)
    np.testing.assert_allclose(found.objective, errors, rtol=1e-4)


def test_the_objective_is_that_of_the_images(projection, images):
    found = projection(images)
    made = projection.generator.decode(found.latents)
    np.testing.assert_allclose(found.images, made, atol=1e-6)
    expected = 0.5 * np.mean(np.abs(made - images), axis=(1, 2, 3))
    expected += np.square(projection.distance(made, images))
    np.testing.assert_allclose(found.objective, expected, rtol=1e-4)


def test_lpips_is_not_its_root():
    keras.utils.set_random_seed(0)
    lpips, decoder = LPIPS(), tiny.Decoder((16, 16, 3))
    images = tiny.random_images(2, (16, 16, 3))
    projection = Projection(decoder, lpips, l1=0, steps=2, candidates=2)
    found = projection(images)
    expected = lpips(found.images, images)
    np.testing.assert_allclose(found.objective, expected, rtol=1e-4)


def test_what_the_generator_makes_is_found_again(decoder, perceptual):
    latents = tf.random.stateless_normal([4, 6], [1, 2])
    images = decoder.decode(latents)
    found = Projection(decoder, perceptual, steps=300)(images)
    start = Projection(decoder, perceptual, steps=1, learning_rate=0)(images)
    assert np.all(found.objective < 0.1 * start.objective)
    # The tiny decoder has one latent for each image.
    np.testing.assert_allclose(found.latents, latents, atol=0.1)


def test_the_start_is_the_best_candidate(decoder, images):
    projection = Projection(decoder, steps=1, learning_rate=0, candidates=9)
    seed = seeds.derive(seeds.derive(3), "project")
    drawn = tf.concat(
        [projection.candidate(seeds.derive(seed, n)) for n in range(9)], 0
    )
    made = decoder.decode(drawn).numpy()
    apart = np.abs(made[None] - images[:, None]).mean(axis=(2, 3, 4))
    nearest = drawn.numpy()[np.argmin(apart, axis=1)]
    np.testing.assert_allclose(projection(images, seed=3).latents, nearest)
    assert len(set(np.argmin(apart, axis=1))) > 1


def test_a_generator_may_draw_the_candidates(images):
    class Shifted(Linear):
        def sample_latents(self, count, seed):
            return 7 + tf.random.stateless_uniform([count, 5], seed)

    found = Projection(Shifted(), steps=1, learning_rate=0)(images)
    assert np.all((7 <= found.latents) & (found.latents <= 8))


def test_a_sample_s_latents_are_its_own(projection, images):
    together = projection(images).latents
    for place in range(3):
        alone = projection(images[place : place + 1]).latents
        np.testing.assert_allclose(alone[0], together[place], atol=1e-5)


def test_a_list_of_latents(images):
    one = Projection(Linear(), steps=50)(images)
    several = Projection(Halves(), steps=50)(images)
    assert [part.shape for part in several.latents] == [(6, 2), (6, 3)]
    made = Linear().decode(tf.concat(several.latents, axis=1))
    np.testing.assert_allclose(several.images, made, atol=1e-6)
    np.testing.assert_allclose(several.objective, one.objective, rtol=0.02)


def test_nothing_of_the_generator_changes(projection, decoder, images):
    before = [weight.numpy() for weight in decoder.weights]
    first = projection(images)
    np.testing.assert_array_equal(projection(images).latents, first.latents)
    assert not np.array_equal(projection(images, 1).latents, first.latents)
    for weight, old in zip(decoder.weights, before):
        np.testing.assert_array_equal(weight, old)


def test_graph_equals_eager(projection, images):
    graph = projection(images)
    tf.config.run_functions_eagerly(True)
    try:
        eager = projection(images)
    finally:
        tf.config.run_functions_eagerly(False)
    np.testing.assert_allclose(eager.latents, graph.latents, atol=1e-5)


def test_a_projection_is_a_value(projection, decoder, perceptual, images):
    assert projection == Projection(decoder, perceptual, steps=5, l1=0.5)
    config = keras.saving.serialize_keras_object(projection)
    copy = keras.saving.deserialize_keras_object(config)
    assert (copy.steps, copy.l1) == (5, 0.5)
    copy.generator.set_weights(decoder.get_weights())
    copy.distance.network.set_weights(perceptual.network.get_weights())
    np.testing.assert_allclose(
        copy(images).objective, projection(images).objective, rtol=1e-5
    )


def test_wrong_settings_are_refused(decoder, images):
    with pytest.raises(ValueError, match="`generator` must have `decode"):
        Projection(keras.Sequential())
    with pytest.raises(ValueError, match="`distance` must be one of"):
        Projection(decoder, keras.losses.MeanSquaredError())
    with pytest.raises(ValueError, match="`l1` must be positive"):
        Projection(decoder, l1=0)
    with pytest.raises(ValueError, match="`steps`"):
        Projection(decoder, steps=0)
    with pytest.raises(ValueError, match="`learning_rate`"):
        Projection(decoder, learning_rate=-1.0)


def test_images_of_another_kind_are_refused(decoder, images):
    projection = Projection(decoder, steps=1)
    with pytest.raises(ValueError, match=r"shape of the generator's.*8, 8, 1"):
        projection(images[..., :1])
    with pytest.raises(ValueError, match=r"lie in \[0, 1\]"):
        projection(255 * images)


def test_an_objective_that_is_no_number_is_an_error(images):
    class Broken(Linear):
        def decode(self, latents):
            return np.nan * super().decode(latents)

    with pytest.raises(ValueError, match="objective of projection is not"):
        Projection(Broken(), steps=1)(images)
