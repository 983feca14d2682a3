import keras
import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf.training import methods
from tests import reference, tiny

SEED = tf.constant([1, 2])


def make(generator, **settings):
    settings = {"radius": 0.2, "steps": 3, "learning_rate": 0.1, **settings}
    return methods.VAEGAN(generator, **settings)


def test_every_other_sample_is_attacked(batch, classifier, flow):
    method = make(flow)
    crafted = method.craft(classifier, batch, SEED)
    expected = method.attack(
        classifier, batch.images[1::2], batch.labels[1::2], seed=SEED
    )
    np.testing.assert_array_equal(crafted, expected.images)
    used = expected.budget["latent"].numpy()
    assert (used > 0.1).all() and (used <= 0.2 + 1e-6).all()


def test_loss_by_numpy(batch, classifier, flow):
    """Half the mean over clean samples, half that over attacked ones."""
    method = make(flow)
    crafted = method.craft(classifier, batch, SEED)
    together = np.concatenate([batch.images[::2], crafted])
    logits = reference.trained(classifier, together)[0]
    clean = reference.cross_entropy(batch.labels[::2], logits[:3])
    attacked = reference.cross_entropy(batch.labels[1::2], logits[3:])
    losses, labels, seen = method.loss(classifier, batch, crafted)
    np.testing.assert_allclose(
        np.mean(losses), (clean.mean() + attacked.mean()) / 2, rtol=1e-5
    )
    np.testing.assert_allclose(losses, [*clean, *attacked], rtol=1e-5)
    np.testing.assert_allclose(seen, logits, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(labels[:3], batch.labels[::2])
    np.testing.assert_array_equal(labels[3:], batch.labels[1::2])


def test_defaults_are_the_source_s(flow):
    attack = methods.VAEGAN(flow).attack
    assert attack.steps == 40 and attack.random_start
    assert attack.space.ball == ij.spaces.Linf(0.1, step=0.005)
    assert attack.space.bound == 2.0


def test_latents_that_come_with_the_data(batch, classifier, flow):
    latents = [latent + 0.3 for latent in flow.encode(batch.images)]
    method = make(flow, bound=None)
    crafted = method.craft(classifier, batch._replace(latents=latents), SEED)
    for one, other in zip(flow.encode(crafted), latents):
        assert np.abs(one - other[1::2]).max() <= 0.2 + 1e-3


def test_a_generator_without_a_way_back_needs_latents(batch, classifier):
    generator = ij.generators.StyleGAN(8, latent_size=4, width=4)
    with pytest.raises(ValueError, match="no `encode`.*`latents`"):
        make(generator).craft(classifier, batch, SEED)


def test_with_its_own_generator_saved_and_loaded(tmp_path):
    keras.utils.set_random_seed(0)
    generator = ij.generators.VAEGAN(tiny.SHAPE, latent_size=3, width=4)
    model = ij.training.AdversarialModel(
        tiny.make_classifier(), make(generator)
    )
    model.compile(optimizer=ij.training.SGD(0.1))
    images = tiny.random_images(8)
    before = generator.get_weights()
    model.fit(images, np.arange(8) % 3, batch_size=4, verbose=0)
    for one, other in zip(before, generator.get_weights()):
        np.testing.assert_array_equal(one, other)
    model.save(tmp_path / "model.keras")
    copy = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        copy.method.generator(images), generator(images)
    )


def test_a_batch_of_one_is_refused(classifier, flow):
    model = ij.training.AdversarialModel(classifier, make(flow))
    model.compile(optimizer=ij.training.SGD(0.1))
    before = model.classifier.get_weights()
    with pytest.raises(ValueError, match="at least 2 samples"):
        model.train_on_batch(tiny.random_images(1), np.array([1]))
    for one, other in zip(before, model.classifier.get_weights()):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "settings, named",
    [
        ({"radius": -1.0}, "`radius`"),
        ({"steps": 0}, "`steps`"),
        ({"learning_rate": -1.0}, "`learning_rate`"),
        ({"bound": -1.0}, "`bound`"),
    ],
)
def test_wrong_settings_are_refused(flow, settings, named):
    with pytest.raises(ValueError, match=named):
        make(flow, **settings)
