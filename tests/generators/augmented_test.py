"""Augmented generators against the pipeline's own augmentation."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf.generators import Augmented
from ijsat_tf.mixup import mixup
from ijsat_tf.samples import Batch
from ijsat_tf.training import methods
from tests import tiny

COUNT = 16
BALL = ij.spaces.Linf(0.05, step=0.02)
LATENT = ij.spaces.Linf(0.3, step=0.1)
LABELS = np.arange(COUNT, dtype="int32") % 3


def make_source(decoder):
    """Images that are what their latents decode to, up to rounding."""
    latents = tf.random.stateless_normal([COUNT, *decoder.latent_shape], [3, 4])
    levels = np.rint(255 * decoder.decode(latents)).astype("uint8")
    return ij.data.Source(levels, LABELS, 3, latents=latents.numpy())


def attack(generator):
    return ij.attacks.JointSpaceAttack(generator, BALL, LATENT, steps=2)


def make_method(name, generator):
    on_manifold = ij.attacks.OnManifoldPGD(generator, LATENT, steps=2)
    return {
        "AT": lambda: methods.AT(on_manifold),
        "DMAT": lambda: methods.DMAT(ij.attacks.PGD(BALL, 2), on_manifold),
        "IJSAT": lambda: methods.IJSAT(attack(generator), tau=1.0),
    }[name]()


def fitted(name, strategy=None, eager=False):
    """Weights of a classifier after two steps on augmented batches."""
    strategy = strategy or tf.distribute.get_strategy()
    with strategy.scope():
        keras.utils.set_random_seed(1)
        decoder = tiny.Decoder()
        keras.utils.set_random_seed(0)
        model = ij.training.AdversarialModel(
            tiny.make_classifier(), make_method(name, Augmented(decoder))
        )
        model.compile(optimizer=ij.training.SGD(0.05), run_eagerly=eager)
    data = ij.data.batches(make_source(decoder), 8, seed=0, augment="crop_flip")
    before = [np.array(weight) for weight in decoder.weights]
    model.fit(data, steps_per_epoch=2, verbose=0, shuffle=False)
    for weight, old in zip(decoder.weights, before):
        np.testing.assert_array_equal(weight, old)
    return model.classifier.get_weights()


@pytest.fixture(scope="module")
def decoder():
    keras.utils.set_random_seed(0)
    return tiny.Decoder()


def test_decoding_is_the_pipeline_s_augmentation_of_the_images(decoder):
    data = ij.data.batches(make_source(decoder), 8, 0, augment="crop_flip")
    generator = Augmented(decoder)
    seen = []
    for x, _ in data.take(4):
        made = generator.decode(x["latent"])
        np.testing.assert_allclose(made, x["image"], atol=0.5 / 255 + 1e-6)
        seen.append(x["latent"][-1])
    assert len(np.unique(np.concatenate(seen), axis=0)) > 20


def test_a_crop_in_the_middle_changes_nothing(decoder):
    latents = tf.random.stateless_normal([2, 6], [0, 0])
    placement = tf.constant([[4, 4, 0], [4, 4, 1]])
    made = decoder.decode(latents).numpy()
    same, mirrored = Augmented(decoder).decode([latents, placement]).numpy()
    np.testing.assert_array_equal(same, made[0])
    np.testing.assert_array_equal(mirrored, made[1][:, ::-1])


@pytest.mark.parametrize(
    "find", [attack, lambda g: make_method("AT", g).attack]
)
def test_attacks_move_latents_and_leave_placements(decoder, classifier, find):
    x, labels = next(
        iter(ij.data.batches(make_source(decoder), 8, 0, augment="crop_flip"))
    )
    result = find(Augmented(decoder))(
        classifier, x["image"], labels, latents=x["latent"]
    )
    clean = classifier(x["image"])
    before = keras.losses.sparse_categorical_crossentropy(labels, clean, True)
    assert np.mean(result.loss) > np.mean(before)
    assert np.all(result.budget["latent"] <= 0.3 + 1e-6)
    # What a crop left black the latents cannot change.
    black = np.all(x["image"] == 0, axis=-1, keepdims=True)
    moved = np.abs(result.images - x["image"]) * black
    assert black.any() and moved.max() <= 0.05 + 1e-6


def test_a_mixture_has_the_placement_of_its_sample(decoder):
    x, labels = next(
        iter(ij.data.batches(make_source(decoder), 8, 0, augment="crop_flip"))
    )
    batch = Batch(x["image"], tf.one_hot(labels, 3), x["latent"])
    mixed = mixup(batch, 1.0, tf.constant([0, 1]))
    np.testing.assert_array_equal(mixed.latents[1], x["latent"][1])
    assert not np.array_equal(mixed.latents[0], x["latent"][0])


@pytest.mark.variant
def test_fit_on_two_replicas():
    for one, other in zip(
        fitted("IJSAT", tiny.two_replicas()), fitted("IJSAT")
    ):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.variant
def test_fit_eagerly():
    for one, other in zip(fitted("DMAT", eager=True), fitted("DMAT")):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.variant
def test_fit_in_mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        weights = fitted("IJSAT")
    finally:
        keras.config.set_dtype_policy("float32")
    assert all(np.isfinite(weight).all() for weight in weights)


def test_a_model_is_saved_with_its_generator(decoder, classifier, tmp_path):
    model = ij.training.AdversarialModel(
        classifier, make_method("IJSAT", Augmented(decoder))
    )
    model.compile(optimizer=ij.training.SGD(0.05))
    model.save(tmp_path / "model.keras")
    copy = keras.saving.load_model(tmp_path / "model.keras").method.attack.flow
    assert isinstance(copy, Augmented)
    latents = [tf.ones([2, 6]), tf.constant([[0, 1, 1], [8, 3, 0]])]
    np.testing.assert_allclose(
        copy.decode(latents), Augmented(decoder).decode(latents), atol=1e-6
    )


def test_latents_and_generators_that_do_not_fit_say_so(decoder, classifier):
    source = make_source(decoder)
    augmented, labels = next(
        iter(ij.data.batches(source, 8, 0, augment="crop_flip"))
    )
    plain, _ = next(iter(ij.data.batches(source, 8, 0)))
    with pytest.raises(ValueError, match="ijsat_tf.generators.Augmented"):
        attack(decoder)(
            classifier, augmented["image"], labels, latents=augmented["latent"]
        )
    with pytest.raises(ValueError, match=r"\(6,\), \(3,\)"):
        attack(Augmented(decoder))(
            classifier, plain["image"], labels, latents=plain["latent"]
        )
    with pytest.raises(ValueError, match="no `encode`.*project_dataset"):
        attack(Augmented(decoder))(classifier, plain["image"], labels)
    with pytest.raises(ValueError, match="last item is the placements"):
        Augmented(decoder).decode(plain["latent"])
    with pytest.raises(ValueError, match="`generator` must have `decode"):
        Augmented(keras.Sequential())


def test_a_generator_of_several_latents():
    class Sum:
        latent_shapes = [(128,), (1,)]

        def decode(self, latents):
            first, second = latents
            return tf.reshape(first + second, [-1, 8, 8, 2])

    generator = Augmented(Sum())
    assert generator.latent_shapes == [(128,), (1,), (3,)]
    parts = [tf.zeros([2, 128]), tf.ones([2, 1]), tf.constant([[0, 4, 0]] * 2)]
    made = generator.decode(parts).numpy()
    assert (made[:, :4] == 0).all() and (made[:, 4:] == 1).all()
