"""Functional models: models whose call runs a graph of layers."""

from __future__ import annotations

from typing import Any

import keras


def functional(model: Any) -> keras.Model | None:
    """The graph of layers that a call of a model runs.

    Args:
        model: Keras model.

    Returns:
        The functional model itself, or the functional model inside a
        sequential model, if the model is built, has one input and one output,
        and its class has Keras' own `call`; otherwise None.
    """
    if not isinstance(model, keras.Model) or not calls_as_keras(model):
        return None
    graph = getattr(model, "_functional", None) or model
    known = hasattr(graph, "_run_through_graph")
    single = known and len(graph.inputs) == len(graph.outputs) == 1
    return graph if single else None


def calls_as_keras(model: keras.Model) -> bool:
    """Whether the class of a model has Keras' own `call`.

    Args:
        model: Keras model, functional or sequential.
    """
    return type(model).call.__module__.partition(".")[0] == "keras"
