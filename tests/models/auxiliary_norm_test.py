import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import ijsat_tf as ij
from ijsat_tf.models.inference import inference
from tests import tiny
from tests.models.reference import randomize

IMAGES = tiny.random_images()


def nested():
    """A foreign model: a sequential backbone, and a BatchNorm called twice."""
    inputs = keras.Input(tiny.SHAPE)
    backbone = keras.Sequential(
        [
            layers.Input((8, 8, 2)),
            layers.Conv2D(2, 3, padding="same"),
            layers.BatchNormalization(name="inside"),
        ]
    )
    norm = layers.BatchNormalization(name="twice")
    x = layers.ReLU()(norm(backbone(norm(inputs))))
    return keras.Model(inputs, layers.Dense(3)(layers.Flatten()(x)))


NETWORKS = {
    "sequential": tiny.make_classifier,
    "nested": nested,
    "preact_resnet18": lambda: ij.models.preact_resnet18(
        3, width=2, image_shape=tiny.SHAPE
    ),
}


def norms(model):
    return [
        layer
        for layer in model._flatten_layers()
        if isinstance(layer, layers.BatchNormalization)
    ]


@pytest.fixture(params=NETWORKS)
def pair(request):
    """A network moved from its start, and what has a second set of norms."""
    plain = NETWORKS[request.param]()
    randomize(plain)
    return plain, ij.models.with_auxiliary_norm(plain)


def test_only_the_norms_are_doubled(pair):
    plain, model = pair
    count = len(norms(plain))
    assert len(model.weights) == len(plain.weights) + 4 * count
    assert len(model.trainable_weights) == (
        len(plain.trainable_weights) + 2 * count
    )
    shared = {id(w) for w in plain.weights}
    own = [w for w in model.auxiliary.weights if id(w) not in shared]
    assert len(own) == 4 * count
    assert len(model.auxiliary.weights) == len(plain.weights)
    # The second starts as a copy of the first.
    for training in (False, True):
        weights = model.get_weights()
        np.testing.assert_array_equal(
            model(IMAGES, training=training),
            model.auxiliary(IMAGES, training=training),
        )
        model.set_weights(weights)
    np.testing.assert_array_equal(model(IMAGES), plain(IMAGES))


def test_each_has_statistics_of_its_own(pair):
    plain, model = pair
    copy = keras.models.clone_model(plain)
    copy.set_weights(plain.get_weights())
    # A copy of Keras, trained apart, is what the auxiliary has to equal.
    np.testing.assert_array_equal(
        model.auxiliary(IMAGES[:4], training=True),
        copy(IMAGES[:4], training=True),
    )
    before = plain.get_weights()
    np.testing.assert_allclose(
        model.auxiliary(IMAGES), copy(IMAGES), rtol=1e-5, atol=1e-6
    )
    for one, other in zip(before, plain.get_weights()):
        np.testing.assert_array_equal(one, other)
    gap = np.abs(model(IMAGES) - model.auxiliary(IMAGES))
    assert gap.max() > 1e-3
    np.testing.assert_allclose(
        inference(model.auxiliary)(tf.constant(IMAGES)),
        model.auxiliary(IMAGES),
        rtol=1e-3,
        atol=1e-4,
    )


@pytest.mark.sampled
def test_files(pair, tmp_path):
    _, model = pair
    randomize(model, seed=1)
    expected = model(IMAGES), model.auxiliary(IMAGES)
    assert np.abs(expected[0] - expected[1]).max() > 1e-3
    model.save(tmp_path / "both.keras")
    model.save_weights(tmp_path / "both.weights.h5")
    copy = keras.saving.load_model(tmp_path / "both.keras")
    for _ in range(2):
        assert [w.shape for w in copy.weights] == [
            w.shape for w in model.weights
        ]
        np.testing.assert_array_equal(copy(IMAGES), expected[0])
        np.testing.assert_array_equal(copy.auxiliary(IMAGES), expected[1])
        copy.set_weights([0 * weight for weight in copy.get_weights()])
        copy.load_weights(tmp_path / "both.weights.h5")
    ij.training.Checkpoint(tmp_path / "main.keras").save(model)
    main = keras.saving.load_model(tmp_path / "main.keras")
    assert not hasattr(main, "auxiliary")
    assert len(main.weights) == len(model.auxiliary.weights)
    np.testing.assert_array_equal(main(IMAGES), expected[0])


def test_both_have_stages():
    model = ij.models.with_auxiliary_norm(NETWORKS["preact_resnet18"]())
    names = ["stem", "stage1", "stage2", "stage3", "stage4", "logits"]
    assert [part.name for part in model.stages] == names
    parts = ij.models.stages(model.auxiliary)
    assert [part.name for part in parts] == names
    x = IMAGES
    for part in parts:
        x = part(x)
    np.testing.assert_array_equal(x, model.auxiliary(IMAGES))


def test_it_is_made_of_its_own_kind_too():
    once = ij.models.with_auxiliary_norm(tiny.make_classifier())
    twice = ij.models.with_auxiliary_norm(once)
    assert len(twice.weights) == len(once.weights)


def test_synchronised_norms_stay_so():
    with tiny.two_replicas().scope():
        model = ij.models.with_auxiliary_norm(tiny.make_classifier())
    assert [norm.synchronized for norm in norms(model)] == [True, True]


class Wrapped(layers.Layer):
    def __init__(self):
        super().__init__()
        self.norm = layers.BatchNormalization(name="hidden")

    def call(self, x):
        return self.norm(x)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ij.models.small_cnn(3), "must have BatchNorms"),
        (
            lambda: keras.Sequential([layers.Input((8,)), Wrapped()]),
            "functional or sequential models.*hidden",
        ),
        (lambda: keras.Sequential([layers.Dense(3)]), "must be a built"),
        (lambda: lambda images: images, "functional or sequential"),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        ij.models.with_auxiliary_norm(make())
