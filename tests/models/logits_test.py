"""Logits against the logarithm of the original's probabilities."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from ijsat_tf.models import logits

SHAPE = (32, 32, 3)
IMAGES = np.random.default_rng(0).random((3, *SHAPE), np.float32)


def _mobile_net():
    return keras.applications.MobileNetV2(
        weights=None, input_shape=SHAPE, classes=10
    )


def _dense_with_activation():
    return keras.Sequential(
        [
            keras.Input(SHAPE),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )


def _softmax_layer():
    model = keras.Sequential(
        [layers.Flatten(), layers.Dense(10), layers.Softmax()]
    )
    model.build((None, *SHAPE))
    return model


def _activation_layer():
    inputs = keras.Input(SHAPE)
    x = layers.Dense(10)(layers.Flatten()(inputs))
    return keras.Model(inputs, layers.Activation("softmax")(x))


def _operation():
    inputs = keras.Input(SHAPE)
    x = layers.Dense(10)(layers.Flatten()(inputs))
    return keras.Model(inputs, keras.ops.softmax(x))


def _convolution():
    inputs = keras.Input(SHAPE)
    x = layers.Conv2D(10, 32, activation=tf.nn.softmax)(inputs)
    return keras.Model(inputs, x)


def _nested():
    inputs = keras.Input(SHAPE)
    inner = _dense_with_activation()
    return keras.Model(inputs, inner(layers.Rescaling(2.0)(inputs)))


MODELS = [
    _mobile_net,
    _dense_with_activation,
    _softmax_layer,
    _activation_layer,
    _operation,
    _convolution,
    _nested,
]


def _assert_logits_of(result, model):
    difference = np.log(model(IMAGES)) - result(IMAGES).numpy()
    constant = difference.mean(axis=-1, keepdims=True)
    np.testing.assert_allclose(
        difference, np.broadcast_to(constant, difference.shape), atol=1e-5
    )


@pytest.mark.sampled
@pytest.mark.parametrize("make", MODELS)
def test_the_softmax_is_gone_and_the_weights_are_shared(make):
    model = make()
    description, before = model.to_json(), model(IMAGES).numpy()
    result = logits(model)
    _assert_logits_of(result, model)
    assert [*map(id, result.weights)] == [*map(id, model.weights)]

    # What is learned by one is learned by the other.
    bias = model.trainable_weights[-1]
    bias.assign_add(np.arange(10.0))
    _assert_logits_of(result, model)
    bias.assign_sub(np.arange(10.0))

    assert model.to_json() == description
    np.testing.assert_allclose(model(IMAGES), before, atol=1e-6)


def test_the_result_runs_in_a_graph_with_any_batch_size():
    model = _softmax_layer()
    result = logits(model)
    run = tf.function(lambda images: result(images, training=False))
    np.testing.assert_allclose(run(IMAGES), result(IMAGES), atol=1e-6)
    assert run(IMAGES[:1]).shape == (1, 10)


def test_the_result_can_be_saved(tmp_path):
    result = logits(_nested())
    result.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(IMAGES), result(IMAGES))
    # Nothing of this library is needed to load it.
    modules = {type(layer).__module__ for layer in again.layers}
    assert all(module.startswith("keras.") for module in modules)


@pytest.mark.parametrize("activation", [None, "linear"])
def test_a_model_of_logits_is_returned_as_it_is(activation):
    inputs = keras.Input(SHAPE)
    x = layers.Flatten()(inputs)
    model = keras.Model(inputs, layers.Dense(10, activation=activation)(x))
    assert logits(model) is model
    around = keras.Sequential([keras.Input(SHAPE), model])
    assert logits(around) is around


def _single_dense(activation):
    return keras.Sequential(
        [
            keras.Input(SHAPE),
            layers.Flatten(),
            layers.Dense(1, activation=activation),
        ]
    )


def _single(squash):
    inputs = keras.Input(SHAPE)
    x = layers.Dense(1)(layers.Flatten()(inputs))
    return keras.Model(inputs, squash(x))


def _single_nested():
    inputs = keras.Input(SHAPE)
    inner = _single_dense("sigmoid")
    return keras.Model(inputs, inner(layers.Rescaling(2.0)(inputs)))


SINGLE = [
    lambda: _single_dense("sigmoid"),
    lambda: _single_dense(tf.nn.sigmoid),
    lambda: _single(layers.Activation("sigmoid")),
    lambda: _single(keras.ops.sigmoid),
    _single_nested,
]


@pytest.mark.parametrize("make", SINGLE)
def test_a_sigmoid_becomes_two_logits(make, tmp_path):
    model = make()
    before = model(IMAGES).numpy()
    result = logits(model)
    probabilities = tf.nn.softmax(result(IMAGES)).numpy()
    np.testing.assert_allclose(probabilities[:, 1:], before, rtol=1e-5)
    np.testing.assert_array_equal(result(IMAGES)[:, 0], 0)
    assert [*map(id, result.weights)] == [*map(id, model.weights)]
    assert logits(result) is result
    result.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(IMAGES), result(IMAGES))
    modules = {type(layer).__module__ for layer in again.layers}
    assert all(module.startswith("keras.") for module in modules)


def test_one_logit_becomes_two(tmp_path):
    model = _single_dense(None)
    result = logits(model)
    expected = np.stack([np.zeros(3), model(IMAGES)[:, 0]], axis=1)
    np.testing.assert_allclose(result(IMAGES), expected, rtol=1e-6)
    # A sequential model around it is one of two logits too.
    around = keras.Sequential([keras.Input(SHAPE), result])
    assert logits(around) is around


class _Subclassed(keras.Model):
    def call(self, images):
        return images


class _Scaling(keras.Sequential):
    def call(self, images, **settings):
        return super().call(images / 2, **settings)


def _scaling():
    return _Scaling([keras.Input(SHAPE), *_dense_with_activation().layers])


def _ending_in(layer):
    return keras.Sequential([keras.Input(SHAPE), layers.Flatten(), layer])


def _two_outputs():
    inputs = keras.Input(SHAPE)
    return keras.Model(inputs, [layers.Flatten()(inputs), inputs])


def _adapted():
    model = _dense_with_activation()
    model.layers[-1].enable_lora(2)
    return model


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_Subclassed, "functional or sequential.*Received: _Subclassed"),
        (keras.Sequential, "call the model on a batch of images first"),
        (_two_outputs, "`model` must have one output.*2 outputs"),
        (_scaling, "must have Keras' own `call`.*Received: _Scaling"),
        (_adapted, "must be a dense or convolutional.*LoRA"),
        (
            lambda: _ending_in(layers.Dense(3, activation="relu")),
            "must end in a softmax or in a linear layer.*Received: .*Dense",
        ),
        (
            lambda: _single_dense("softmax"),
            "must end in a sigmoid or in a linear layer.*Received: .*Dense",
        ),
        (
            lambda: _ending_in(layers.Dense(3, activation="sigmoid")),
            "must end in a softmax or in a linear layer.*Received: .*Dense",
        ),
        (
            lambda: _ending_in(layers.Dropout(0.5)),
            "give the attack a function.*Received: .*Dropout",
        ),
    ],
)
def test_other_models_are_refused_with_a_way_out(make, message):
    with pytest.raises(ValueError, match=message):
        logits(make())
