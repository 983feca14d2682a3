"""The folded classifier against Keras' own call."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import ijsat_tf as ij
from ijsat_tf.models.inference import inference
from tests.models.reference import randomize

IMAGES = np.random.default_rng(0).random((4, 16, 16, 3)).astype("float32")


def branched():
    """A convolution that is read twice, one called twice, one with bias."""
    x = inputs = keras.Input((16, 16, 3))
    x = layers.Conv2D(4, 3, padding="same", name="read_twice")(x)
    x = layers.Add()([layers.BatchNormalization()(x), x])
    twice = layers.Conv2D(4, 3, padding="same", name="called_twice")
    x = twice(layers.BatchNormalization()(twice(x)))
    x = layers.Add()([x, layers.GlobalAveragePooling2D(keepdims=True)(x)])
    x = layers.Conv2D(6, 3, strides=2, activation="relu")(x)
    x = layers.BatchNormalization()(x)
    x = layers.Conv2D(6, 3, dilation_rate=2, padding="same")(x)
    x = layers.BatchNormalization(scale=False, center=False)(x)
    x = layers.Conv2D(6, 3, groups=2)(x)
    x = layers.Dropout(0.5)(layers.BatchNormalization()(x))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(3)(x))


def nested():
    inner = keras.Sequential(
        [
            layers.Input((16, 16, 3)),
            layers.Conv2D(4, 3, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
        ]
    )
    return keras.Sequential(
        [layers.Input((16, 16, 3)), inner, layers.Flatten(), layers.Dense(3)]
    )


def normalized():
    mean, variance = (0.5, 0.4, 0.3), (0.04, 0.05, 0.06)
    return keras.Sequential(
        [
            layers.Input((16, 16, 3)),
            layers.Normalization(mean=mean, variance=variance),
            layers.Normalization(mean=mean, variance=variance, invert=True),
            layers.Normalization(axis=None, mean=0.2, variance=0.1),
            layers.Normalization(axis=(1, 3), name="adapted"),
            layers.Conv2D(4, 3),
            layers.Flatten(),
            layers.Dense(3),
        ]
    )


MODELS = {
    "resnet18": lambda: ij.models.resnet18(3, 4, (16, 16, 3)),
    "preact_resnet18": lambda: ij.models.preact_resnet18(3, 4, (16, 16, 3)),
    "resnet50": lambda: ij.models.resnet50(3, 4, (16, 16, 3), stem="cifar"),
    "small_cnn": lambda: ij.models.small_cnn(3, 4, (16, 16, 3)),
    "branched": branched,
    "nested": nested,
    "normalized": normalized,
}


@pytest.mark.parametrize("name", MODELS)
def test_logits_and_gradients(name):
    model = MODELS[name]()
    randomize(model)
    before = [weight.copy() for weight in model.get_weights()]
    found = []
    for call in (
        lambda images: model(images, training=False),
        inference(model),
    ):
        images = tf.constant(IMAGES)
        with tf.GradientTape() as tape:
            tape.watch(images)
            logits = call(images)
            total = tf.reduce_sum(logits**2)
        found.append((logits, tape.gradient(total, images)))
    for one, other in zip(*found):
        assert np.linalg.norm(one - other) <= 1e-5 * np.linalg.norm(one)
    for one, other in zip(before, model.get_weights()):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", ["resnet18", "nested"])
def test_batch_norm_is_gone(name):
    """An additive inverse deviation is left nowhere at a call."""
    model = MODELS[name]()
    call = inference(model)
    graph = tf.function(lambda images: call(images)).get_concrete_function(
        tf.TensorSpec(IMAGES.shape)
    )
    kinds = [operation.type for operation in graph.graph.get_operations()]
    assert "Rsqrt" not in kinds
    assert kinds.count("BiasAdd") >= kinds.count("Conv2D")


def test_mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = MODELS["resnet18"]()
    finally:
        keras.config.set_dtype_policy("float32")
    randomize(model)
    logits = inference(model)(IMAGES)
    exact = model(IMAGES, training=False)
    assert logits.dtype == tf.float32
    assert np.linalg.norm(logits - exact) < 0.05 * np.linalg.norm(exact)


def test_other_models_are_called():
    class Own(keras.Model):
        def call(self, images, training=None):
            return tf.fill([len(images), 2], 1.0 if training else 2.0)

    np.testing.assert_array_equal(inference(Own())(IMAGES), np.full((4, 2), 2))


def test_it_follows_the_weights_of_a_model_that_trains(images, labels):
    """An attack's cached graph reads the weights anew at each call."""
    model = ij.models.small_cnn(3, 4, images.shape[1:])
    attack = ij.attacks.PGD(ij.spaces.Linf(0.1, step=0.0), steps=1)
    for _ in range(2):
        result = attack(model, images, labels)
        expected = keras.losses.sparse_categorical_crossentropy(
            labels, model(result.images), from_logits=True
        )
        np.testing.assert_allclose(result.loss, expected, rtol=1e-4)
        randomize(model)
