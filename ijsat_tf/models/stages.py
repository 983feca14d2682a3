"""A classifier as a composition of models."""

from __future__ import annotations

import difflib
import itertools
import weakref
from collections.abc import Sequence

import keras

from ijsat_tf.checks import require
from ijsat_tf.models.functional import functional

# The stages of each model, so that every call returns the same objects, and so
# that a cut adds nodes to the layers only once.
_CUTS: weakref.WeakKeyDictionary[keras.Model, dict] = (
    weakref.WeakKeyDictionary()
)


def stages(
    model: keras.Model, layers: Sequence[str] | None = None
) -> list[keras.Model]:
    """The Keras models whose composition is a classifier.

    The stages share every layer with the classifier: a call in training mode
    updates the classifier's statistics, and gradients flow to the classifier's
    weights. The classifier itself is not changed.

    Args:
        model: Built functional or sequential model with one input and one
            output.
        layers: Names of layers, ordered from the images to the logits; the
            model is cut behind each layer. None, the default, stands for the
            names in the classifiers of this library: `stem` if there is such a
            layer, `stage1`, `stage2` and so on.

    Returns:
        A list with one model more than there are names, each model named after
        its last layer. The first model takes the images, and the last model
        returns the logits. The same arguments give the same objects.

    Raises:
        ValueError: for another kind of model, for names that the model does
            not have or that are not in order, and for layers that are bypassed
            or called twice.
    """
    require(
        isinstance(model, keras.Model) and bool(getattr(model, "inputs", 0)),
        "`model` must be a built functional or sequential Keras model; call "
        "the model on a batch of images first, or rewrite a subclassed model "
        "by the functional API.",
        type(model).__name__,
    )
    require(
        len(model.inputs) == len(model.outputs) == 1,
        "`model` must have one input and one output; make a model from the "
        "images to the logits first.",
        f"{len(model.inputs)} inputs, {len(model.outputs)} outputs",
    )
    require(
        functional(model) is not None,
        "`model` must have Keras' own `call`, because the stages would skip a "
        "`call` of your own; move the code of that `call` into a layer.",
        type(model).__name__,
    )
    require(
        layers is None
        or isinstance(layers, Sequence)
        and not isinstance(layers, str)
        and len(layers) > 0
        and all(isinstance(name, str) for name in layers),
        "`layers` must be None or names of layers, at least one name, such as "
        "['stage1'].",
        repr(layers),
    )
    # The output is part of the key, since `add` changes a sequential model.
    key = layers and tuple(layers), model.outputs[0]
    cuts = _CUTS.setdefault(model, {})
    if key not in cuts:
        cuts[key] = _cut(model, layers)
    return list(cuts[key])


def _cut(model: keras.Model, layers: Sequence[str] | None) -> list[keras.Model]:
    output = model.outputs[0]
    calls = _calls(output)
    ends = [
        _end_of(name, calls, output) for name in layers or _own_names(calls)
    ]
    points = [model.inputs[0], *ends, output]
    for start, end in itertools.pairwise(points):
        require(
            start is not end and not _bypassed(start, end),
            "`layers` must be ordered from the images to the logits, each "
            "layer once.",
            layers,
        )
    return [
        keras.Model(start, end, name=end._keras_history.operation.name)
        for start, end in itertools.pairwise(points)
    ]


def _calls(end: keras.KerasTensor, start: keras.KerasTensor | None = None):
    """The calls of layers (Keras' nodes) that compute `end`.

    Each call is listed once; calls before `start` are left out.
    """
    found, waiting = {}, [end]
    while waiting:
        tensor = waiting.pop()
        if tensor is start:
            continue
        history = tensor._keras_history
        node = history.operation._inbound_nodes[history.node_index]
        if node not in found:
            found[node] = None
            waiting += node.input_tensors
    return list(found)


def _bypassed(start: keras.KerasTensor, end: keras.KerasTensor) -> bool:
    """Whether a path leads from the images to `end` without `start`."""
    return any(call.is_input for call in _calls(end, start))


def _own_names(calls: list) -> list[str]:
    names = {call.operation.name for call in calls}
    numbered = itertools.takewhile(
        names.__contains__, (f"stage{n}" for n in itertools.count(1))
    )
    own = [*({"stem"} & names), *numbered]
    require(
        "stage1" in own,
        "`layers` must be given for a model without layers named 'stage1', "
        "'stage2' and so on; pass the names of the layers that end a stage.",
        f"None for a model of {', '.join(sorted(names)[:8])} ...",
    )
    return own


def _end_of(
    name: str, calls: list, output: keras.KerasTensor
) -> keras.KerasTensor:
    """The output of the layer `name`, if the model can be cut there."""
    between = [
        call
        for call in calls
        if not call.is_input and output not in call.output_tensors
    ]
    known = list(dict.fromkeys(call.operation.name for call in between))
    near = difflib.get_close_matches(name, known) or known[:8]
    require(
        name in known,
        "`layers` must name layers of `model` between its input and its "
        f"last layer; similar names are {near}.",
        repr(name),
    )
    first, *others = [call for call in between if call.operation.name == name]
    require(
        not others,
        "`layers` must name layers that `model` calls once; name the layer "
        "that follows the call where the model is to be cut.",
        f"{name!r}, called {1 + len(others)} times",
    )
    end = first.output_tensors[0]
    require(
        not _bypassed(end, output),
        "`layers` must name layers that no branch bypasses; name the layer "
        "where the branches meet again, such as the addition of a residual "
        "block.",
        f"{name!r}, which another branch bypasses",
    )
    return end
