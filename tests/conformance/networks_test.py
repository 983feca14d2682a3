"""What an attack sees is `model(images, training=False)`, of any model."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import ijsat_tf as ij
from ijsat_tf.losses import cross_entropy
from ijsat_tf.models.inference import inference

IMAGES = np.random.default_rng(0).random((6, 8, 8, 3)).astype("float32")
STILL = ij.attacks.PGD(ij.spaces.Linf(0.0), steps=1)
# Whose `training` is that of another layer, of another backend, or of boxes.
ELSEWHERE = {
    *("FlaxLayer", "JaxLayer", "TorchModuleWrapper", "TFSMLayer"),
    *("GRUCell", "LSTMCell", "SimpleRNNCell", "MaxNumBoundingBoxes"),
}
# What these do, they do to labels too, or to whole numbers of 0..255 alone.
IN_255 = {"value_range": (0, 1)}


def _sequence(layer):
    """A layer of sequences, reading an image row by row."""
    return [layers.Reshape((8, 24)), layer]


def _with_itself(layer):
    return lambda x: layer(*[layers.Reshape((8, 24))(x)] * 2)


def _pair(layer):
    return lambda x: layer([layers.Reshape((8, 24))(x)] * 2)


def _volume(layer):
    return [layers.Reshape((8, 4, 2, 3)), layer]


LAYERS = {
    "AdditiveAttention": lambda: _pair(layers.AdditiveAttention(dropout=0.5)),
    "AlphaDropout": lambda: layers.AlphaDropout(0.5),
    "Attention": lambda: _pair(layers.Attention(dropout=0.5)),
    "AugMix": lambda: layers.AugMix(**IN_255),
    "AutoContrast": lambda: layers.AutoContrast(**IN_255),
    "BatchNormalization": lambda: layers.BatchNormalization(),
    "Bidirectional": lambda: _sequence(
        layers.Bidirectional(layers.LSTM(3, dropout=0.5))
    ),
    "CenterCrop": lambda: layers.CenterCrop(6, 6),
    "ContrastLimitedAdaptiveHistogramEqualization": lambda: (
        layers.ContrastLimitedAdaptiveHistogramEqualization(
            tile_grid_size=(2, 2), **IN_255
        )
    ),
    "ConvLSTM1D": lambda: layers.ConvLSTM1D(2, 3, dropout=0.5),
    "ConvLSTM2D": lambda: [
        layers.Reshape((2, 4, 8, 3)),
        layers.ConvLSTM2D(2, 3, dropout=0.5),
    ],
    "ConvLSTM3D": lambda: [
        layers.Reshape((2, 2, 4, 4, 3)),
        layers.ConvLSTM3D(2, 2, dropout=0.5),
    ],
    "CutMix": lambda: layers.CutMix(),
    "Dense": lambda: layers.Dense(4),
    "Dropout": lambda: layers.Dropout(0.5),
    "EinsumDense": lambda: layers.EinsumDense("bhwc,cd->bhwd", (8, 8, 4)),
    "Equalization": lambda: layers.Equalization(**IN_255),
    "GRU": lambda: _sequence(layers.GRU(3, dropout=0.5)),
    "GaussianDropout": lambda: layers.GaussianDropout(0.5),
    "GaussianNoise": lambda: layers.GaussianNoise(0.5),
    "GroupQueryAttention": lambda: _with_itself(
        layers.GroupQueryAttention(4, 2, 1, dropout=0.5)
    ),
    "LSTM": lambda: _sequence(layers.LSTM(3, dropout=0.5)),
    "Lambda": lambda: layers.Lambda(
        lambda x, training=None: x + 1.0 if training else x
    ),
    "MixUp": lambda: layers.MixUp(),
    "MultiHeadAttention": lambda: _with_itself(
        layers.MultiHeadAttention(2, 4, dropout=0.5)
    ),
    "Pipeline": lambda: layers.Pipeline([layers.RandomFlip()]),
    "RNN": lambda: _sequence(layers.RNN(layers.GRUCell(3, dropout=0.5))),
    "RandAugment": lambda: layers.RandAugment(**IN_255),
    "RandomBrightness": lambda: layers.RandomBrightness(0.5, **IN_255),
    "RandomColorDegeneration": lambda: layers.RandomColorDegeneration(
        0.5, **IN_255
    ),
    "RandomColorJitter": lambda: layers.RandomColorJitter(
        brightness_factor=0.5, contrast_factor=0.5, **IN_255
    ),
    "RandomContrast": lambda: layers.RandomContrast(0.5, **IN_255),
    # Keras tells another shape than it gives.
    "RandomCrop": lambda: [
        layers.RandomCrop(6, 6),
        layers.GlobalAveragePooling2D(),
    ],
    "RandomElasticTransform": lambda: layers.RandomElasticTransform(**IN_255),
    "RandomErasing": lambda: layers.RandomErasing(**IN_255),
    "RandomFlip": lambda: layers.RandomFlip(),
    "RandomGaussianBlur": lambda: layers.RandomGaussianBlur(**IN_255),
    "RandomGrayscale": lambda: layers.RandomGrayscale(),
    "RandomHue": lambda: layers.RandomHue(0.5, **IN_255),
    "RandomInvert": lambda: layers.RandomInvert(**IN_255),
    "RandomPerspective": lambda: layers.RandomPerspective(),
    "RandomPosterization": lambda: layers.RandomPosterization(2, **IN_255),
    "RandomRotation": lambda: layers.RandomRotation(0.5),
    "RandomSaturation": lambda: layers.RandomSaturation(0.5, **IN_255),
    "RandomSharpness": lambda: layers.RandomSharpness(0.5, **IN_255),
    "RandomShear": lambda: layers.RandomShear(0.5, 0.5),
    "RandomTranslation": lambda: layers.RandomTranslation(0.5, 0.5),
    "RandomZoom": lambda: layers.RandomZoom(0.5),
    "Resizing": lambda: layers.Resizing(4, 4),
    "SimpleRNN": lambda: _sequence(layers.SimpleRNN(3, dropout=0.5)),
    "Solarization": lambda: layers.Solarization(0.5, 0.5, **IN_255),
    "SpatialDropout1D": lambda: _sequence(layers.SpatialDropout1D(0.5)),
    "SpatialDropout2D": lambda: layers.SpatialDropout2D(0.5),
    "SpatialDropout3D": lambda: _volume(layers.SpatialDropout3D(0.5)),
    "SpectralNormalization": lambda: layers.SpectralNormalization(
        layers.Conv2D(4, 3)
    ),
    "StackedRNNCells": lambda: _sequence(
        layers.RNN(layers.StackedRNNCells([layers.LSTMCell(3, dropout=0.5)]))
    ),
    "TimeDistributed": lambda: layers.TimeDistributed(
        keras.Sequential([layers.Dense(4), layers.Dropout(0.5)])
    ),
}


def _applied(x, found):
    for layer in found if isinstance(found, list) else [found]:
        x = layer(x)
    return x


def _classifier(*bodies):
    x = inputs = keras.Input(IMAGES.shape[1:])
    for body in bodies:
        x = _applied(x, body)
    return keras.Model(inputs, layers.Dense(3)(layers.Flatten()(x)))


def _recorded():
    """Arguments that the graph itself holds."""
    x = inputs = keras.Input(IMAGES.shape[1:])
    inner = keras.Sequential([layers.Conv2D(4, 3), layers.BatchNormalization()])
    x = inner(x, training=True)
    x = layers.BatchNormalization()(layers.Conv2D(4, 3)(x), training=True)
    x = layers.Dropout(0.5)(x, training=True)
    x = Scaled()(x, factor=3.0)
    return keras.Model(inputs, layers.Dense(3)(layers.Flatten()(x)))


class Scaled(keras.layers.Layer):
    def call(self, x, factor=1.0):
        return factor * x


class Inverted(keras.Sequential):
    """A sequential model with a call of its own."""

    def call(self, inputs, training=None):
        return super().call(1.0 - inputs, training=training)


class Holding(keras.layers.Layer):
    """Its call has no `training`, what it holds has."""

    def __init__(self):
        super().__init__()
        self.inner = keras.Sequential(
            [layers.RandomFlip(), layers.Conv2D(4, 3), layers.Dropout(0.5)]
        )

    def call(self, x):
        return self.inner(x)


class Insisting(keras.Model):
    """Its parts are in training mode always."""

    def __init__(self):
        super().__init__()
        self.inner = _classifier(
            layers.Conv2D(4, 3), layers.BatchNormalization(momentum=1.0)
        )

    def call(self, x, training=None):
        return self.inner(x, training=True)


def _shared():
    x = inputs = keras.Input(IMAGES.shape[1:])
    convolution = layers.Conv2D(3, 3, padding="same")
    norm = layers.BatchNormalization()
    inner = keras.Sequential([layers.RandomFlip(), layers.Conv2D(3, 1), norm])
    x = inner(norm(convolution(inner(convolution(x)))))
    return keras.Model(inputs, layers.Dense(3)(layers.Flatten()(x)))


NETWORKS = {
    "augmentation": lambda: _classifier(
        *(
            LAYERS[name]()
            for name in LAYERS
            if name.startswith("Random") and name != "RandomCrop"
        )
    ),
    "recorded": _recorded,
    "inverted": lambda: Inverted(
        [keras.Input(IMAGES.shape[1:]), layers.Flatten(), layers.Dense(3)]
    ),
    "nested inverted": lambda: _classifier(
        Inverted([keras.Input(IMAGES.shape[1:]), layers.Conv2D(4, 3)])
    ),
    "holding": lambda: _classifier(Holding()),
    "insisting": Insisting,
    "shared": _shared,
}


def _written(model):
    """A model whose statistics are no longer those of a new one."""
    model(IMAGES, training=False)
    draws = np.random.default_rng(1)
    for weight in model.weights:
        if "moving" in weight.path or "gamma" in weight.path:
            weight.assign(draws.uniform(0.5, 2.0, weight.shape))
    return model


def _still(model):
    """Values of the variables that Keras' own call leaves alone.

    The seeds of dropout inside of `Bidirectional` move at every call.
    """
    first = [np.array(variable) for variable in model.variables]
    model(IMAGES, training=False)
    return {
        place: value
        for place, value in enumerate(first)
        if np.array_equal(value, model.variables[place])
    }


def _require_unwritten(model, before):
    for place, value in before.items():
        np.testing.assert_array_equal(model.variables[place], value)


def test_the_catalogue_has_every_layer_with_a_training_argument():
    found = set()
    for name in dir(layers):
        kind = getattr(layers, name)
        if inspect.isclass(kind) and issubclass(kind, layers.Layer):
            if "training" in inspect.signature(kind.call).parameters:
                found.add(name)
    assert found - ELSEWHERE == set(LAYERS)


@pytest.mark.parametrize("name", [*LAYERS, *NETWORKS])
def test_logits_are_those_of_keras(name):
    build = NETWORKS.get(name, lambda: _classifier(LAYERS[name]()))
    model = _written(build())
    expected = model(IMAGES, training=False)
    before = _still(model)
    for _ in range(2):
        found = inference(model)(tf.constant(IMAGES))
        np.testing.assert_allclose(found, expected, atol=1e-4, rtol=1e-4)
    _require_unwritten(model, before)
    # Nothing is left of how it was run.
    again = model(IMAGES, training=False)
    np.testing.assert_array_equal(again, expected)


# The samples of "insisting" depend on each other, and batches are split.
@pytest.mark.parametrize("name", sorted({*NETWORKS} - {"insisting"}))
def test_attacks_evaluation_and_callback_see_that_network(name):
    model = _written(NETWORKS[name]())
    logits = np.asarray(model(IMAGES, training=False))
    labels = np.array([0, 1, 2, 0, 1, 2])
    before = _still(model)
    right = logits.argmax(1) == labels
    for _ in range(2):
        result = STILL(model, IMAGES, labels)
        np.testing.assert_array_equal(result.success, ~right)
    found = ij.evaluation.evaluate(
        model, (IMAGES, labels), {"still": STILL}, verbose=False
    )
    own = logits[np.arange(6), labels]
    others = np.where(np.eye(3, dtype=bool)[labels], -np.inf, logits).max(1)
    for record in found.values():
        np.testing.assert_allclose(record.margin, own - others, atol=1e-4)
    defended = ij.training.AdversarialModel(
        model, ij.training.methods.Standard()
    )
    callback = ij.training.RobustAccuracy(STILL, (IMAGES, labels), every=1)
    callback.set_model(defended)
    callback.set_params({"verbose": 0, "epochs": 1})
    logs = {}
    callback.on_attack(1, logs)
    assert logs["clean_accuracy"] == logs["robust_accuracy"] == right.mean()
    _require_unwritten(model, before)


def _lora(model):
    model.layers[-1].enable_lora(2)
    model.layers[-1].lora_kernel_b.assign(5 * np.eye(2, 3))


def _statistics(model):
    model.get_layer("normalization").adapt(3 * IMAGES + 1)


def _pop(model):
    model.pop()
    model.add(layers.Dense(3, activation="tanh"))
    model(IMAGES)


CHANGES = {
    "enable_lora": _lora,
    "adapt": _statistics,
    "pop and add": _pop,
    "quantize": lambda model: model.quantize("int8"),
    "policy": lambda model: setattr(
        model.layers[-1], "dtype_policy", "mixed_bfloat16"
    ),
    "activation": lambda model: setattr(
        model.layers[-1], "activation", keras.activations.sigmoid
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_network_that_changed_is_seen_as_it_is_now(name):
    model = keras.Sequential(
        [
            keras.Input(IMAGES.shape[1:]),
            layers.Normalization(name="normalization"),
            layers.Flatten(),
            layers.Dense(3),
        ]
    )
    model.layers[0].adapt(IMAGES)
    labels = np.array([0, 1, 2, 0, 1, 2])

    def losses():
        logits = model(IMAGES, training=False)
        expected = cross_entropy(np.eye(3, dtype="float32")[labels], logits)
        return STILL(model, IMAGES, labels).loss, expected

    found, expected = losses()
    np.testing.assert_allclose(found, expected, atol=1e-5)
    CHANGES[name](model)
    changed, expected = losses()
    np.testing.assert_allclose(changed, expected, atol=1e-4)
    assert not np.allclose(changed, found, atol=1e-3)
