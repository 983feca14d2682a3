"""Which models are a graph of layers, and nothing else."""

import keras
import pytest

import ijsat_tf as ij
from ijsat_tf.models.functional import functional

INPUTS = keras.Input((8, 8, 1))
FEATURES = keras.layers.Flatten()(INPUTS)


class Own(keras.Model):
    def call(self, inputs, training=None):
        return super().call(1 - inputs, training=training)


class OwnSequential(keras.Sequential):
    def call(self, inputs, training=None, mask=None):
        return super().call(1 - inputs, training=training, mask=mask)


def test_functional_and_sequential_models():
    model = keras.Model(INPUTS, FEATURES)
    assert functional(model) is model
    sequential = keras.Sequential([INPUTS, keras.layers.Flatten()])
    assert functional(sequential).outputs == sequential.outputs
    ours = ij.models.small_cnn(3, image_shape=(8, 8, 1))
    assert functional(ours) is ours


@pytest.mark.parametrize(
    "model",
    [
        Own(INPUTS, FEATURES),
        OwnSequential([INPUTS, keras.layers.Flatten()]),
        keras.Sequential([keras.layers.Flatten()]),
        keras.Model(INPUTS, [FEATURES, FEATURES]),
        keras.layers.Flatten(),
        abs,
    ],
    ids=["call", "sequential call", "unbuilt", "two outputs", "layer", "none"],
)
def test_others_are_none(model):
    assert functional(model) is None


def test_stages_of_a_model_with_a_call_of_its_own_are_refused():
    x = keras.layers.Conv2D(3, 3, name="stage1")(INPUTS)
    model = Own(INPUTS, keras.layers.Flatten()(x))
    with pytest.raises(ValueError, match="must have Keras' own `call`.*Own"):
        ij.models.stages(model)
