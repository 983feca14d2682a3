"""Logits of networks that end in a softmax, or in a single output."""

from __future__ import annotations

import keras
import tensorflow as tf

from ijsat_tf.checks import require
from ijsat_tf.models.functional import calls_as_keras

_WAY_OUT = (
    "give the attack a function from images to logits instead, or build the "
    "model so that its last layer is dense or a softmax."
)


def logits(model: keras.Model) -> keras.Model:
    """A Keras model without its final softmax, with a logit for each class.

    A network with a single output z, or sigmoid(z), has two classes, whose
    logits are 0 and z. The softmax or sigmoid may be a layer of its own or
    the activation of the last dense or convolutional layer. The result shares
    every weight with the model, so that training either model trains both. A
    file of the result holds only layers of Keras. The given model is not
    changed.

    Args:
        model: Built functional or sequential model from images (B, H, W, C) to
            probabilities (B, K) or (B, 1).

    Returns:
        A functional model from images to logits (B, K); `model` itself if
        `model` already returns two or more logits.

    Raises:
        ValueError: for a model of another kind.
    """
    require(
        isinstance(model, keras.Model) and bool(getattr(model, "inputs", 0)),
        "`model` must be a built functional or sequential Keras model; call "
        "the model on a batch of images first, or " + _WAY_OUT,
        type(model).__name__,
    )
    require(
        calls_as_keras(model),
        "`model` must have Keras' own `call`, because the logits would skip a "
        "`call` of your own; " + _WAY_OUT,
        type(model).__name__,
    )
    require(
        len(model.outputs) == 1,
        "`model` must have one output; make a Keras model with the class "
        "probabilities as its only output first.",
        f"{len(model.outputs)} outputs",
    )
    found = model.outputs[0]
    outputs = _linear(found)
    if _is_single(outputs):
        outputs = keras.ops.pad(outputs, [[0, 0], [1, 0]])
    if outputs is found:
        return model
    inputs = model.inputs[0] if len(model.inputs) == 1 else model.inputs
    return keras.Model(inputs, outputs, name=f"{model.name}_logits")


def _linear(output: keras.KerasTensor) -> keras.KerasTensor:
    """The input of the final softmax, or of the sigmoid of a single output.

    The result is `output` itself if there is neither.
    """
    squash = "sigmoid" if _is_single(output) else "softmax"
    history = output._keras_history
    layer = history.operation
    arguments = layer._inbound_nodes[history.node_index].arguments

    def called_by(other: keras.layers.Layer) -> keras.KerasTensor:
        return other(*arguments.args, **arguments.kwargs)

    # Keras' layer and the operation of `keras.ops.softmax` have this name.
    if type(layer).__name__ == squash.title():
        return arguments.keras_tensors[0]
    if isinstance(layer, keras.Model):
        inner = logits(layer)
        return output if inner is layer else called_by(inner)
    activation = getattr(layer, "activation", None)
    # `logits` itself adds the operation Pad to a single output.
    if activation is keras.activations.linear or type(layer).__name__ == "Pad":
        return output
    known = [getattr(f, squash) for f in (keras.activations, keras.ops, tf.nn)]
    require(
        activation in known or type(activation).__name__ == squash.title(),
        f"`model` must end in a {squash} or in a linear layer; " + _WAY_OUT,
        f"a last layer {type(layer).__name__}",
    )
    if isinstance(layer, keras.layers.Activation):
        return arguments.keras_tensors[0]
    return called_by(_linear_twin(layer))


def _is_single(output: keras.KerasTensor) -> bool:
    return tuple(output.shape[1:]) == (1,)


def _linear_twin(layer: keras.layers.Layer) -> keras.layers.Layer:
    """Copies a layer, with the same variables and no activation."""
    twin = type(layer).from_config(
        {**layer.get_config(), "activation": "linear"}
    )
    # Keras takes the variables as weights of the twin only if they are set
    # before the twin counts as built.
    for attribute, setting in vars(layer).items():
        if isinstance(setting, keras.Variable):
            setattr(twin, attribute, setting)
    twin.built = True
    require(
        [id(weight) for weight in twin.weights]
        == [id(weight) for weight in layer.weights]
        and not getattr(layer, "lora_enabled", False)
        and getattr(layer, "quantization_mode", None) is None,
        "The last layer of `model` must be a dense or convolutional layer "
        "without quantization and LoRA; " + _WAY_OUT,
        repr(layer),
    )
    return twin
