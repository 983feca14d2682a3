"""A classifier with a second set of BatchNorms, for attacked images."""

from __future__ import annotations

from typing import Any

import keras

from ijsat_tf.checks import require
from ijsat_tf.models.classifier import Classifier
from ijsat_tf.models.functional import functional

Norm = keras.layers.BatchNormalization


@keras.saving.register_keras_serializable("ijsat_tf")
class AuxiliaryNormClassifier(Classifier):
    """A classifier, and an auxiliary classifier with BatchNorms of its own.

    A call runs the classifier. The auxiliary classifier shares all layers
    except the BatchNorms, and has gamma, beta and moving statistics of its
    own. `weights` are the weights of both classifiers, and one file holds
    all weights. Use `with_auxiliary_norm` to make such a classifier.

    Attributes:
        auxiliary: Classifier with the second set of BatchNorms, a Keras model
            from images to logits.

    Args:
        inputs: Input of the classifier, a Keras tensor (B, H, W, C).
        outputs: Logits of the classifier, a Keras tensor (B, K).
        name: Name of the model; None, the default, lets Keras choose a name.
        **kwargs: Further arguments of `keras.Model`.

    Raises:
        ValueError: for a model without BatchNorms, and for BatchNorms inside
            custom layers.
    """

    def __init__(
        self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any
    ):
        super().__init__(inputs, outputs, name=name, **kwargs)
        twins: dict[Norm, Norm] = {}
        self.auxiliary = _auxiliary(self, twins)
        hidden = [
            layer.name
            for layer in self._flatten_layers()
            if isinstance(layer, Norm)
            and layer not in twins
            and layer not in twins.values()
        ]
        require(
            not hidden,
            "`classifier` must have its BatchNorms as layers of functional or "
            "sequential models; build the classifier without custom layers "
            "around the BatchNorms.",
            *hidden,
        )
        require(
            twins,
            "`classifier` must have BatchNorms, because AdvProp doubles the "
            "BatchNorms; train a classifier without BatchNorms by another "
            "method, such as AT.",
        )
        for norm, twin in twins.items():
            twin.set_weights(norm.get_weights())


def with_auxiliary_norm(classifier: keras.Model) -> AuxiliaryNormClassifier:
    """Makes a classifier with doubled BatchNorms, which `AdvProp` needs.

    The result shares every weight with the given classifier, and the
    BatchNorms of its `auxiliary` start as copies. A ".keras" file keeps both
    sets; `Checkpoint` writes only the network that a call runs, in classes of
    Keras.

    Args:
        classifier: Built functional or sequential Keras model from images
            (B, H, W, C) to logits (B, K), with BatchNorms. Under a strategy,
            build the model and call this function in the strategy's scope.

    Returns:
        A classifier from images (B, H, W, C) to logits (B, K), with the second
        classifier as its attribute `auxiliary`.

    Raises:
        ValueError: for a model of another kind, for a model without
            BatchNorms, and for BatchNorms inside custom layers.

    Source: Xie et al., Adversarial Examples Improve Image Recognition, 2020.
    """
    require(
        functional(classifier) is not None,
        "`classifier` must be a built functional or sequential Keras model, "
        "with one input, one output and Keras' own `call`.",
        type(classifier).__name__,
    )
    return AuxiliaryNormClassifier(
        classifier.inputs[0], classifier.outputs[0], name=classifier.name
    )


def _auxiliary(model: keras.Model, twins: dict[Norm, Norm]) -> keras.Model:
    """The model with new BatchNorms, which are added to `twins`."""
    graph = functional(model)
    inner: dict[keras.Model, keras.Model] = {}

    def operation(layer: Any) -> Any:
        if isinstance(layer, Norm):
            if layer not in twins:
                twins[layer] = _twin(layer)
            return twins[layer]
        if isinstance(layer, keras.Model) and functional(layer) is not None:
            if layer not in inner:
                inner[layer] = _auxiliary(layer, twins)
            return inner[layer]
        return layer

    outputs = graph._run_through_graph(graph.inputs, operation)
    return keras.Model(graph.inputs[0], outputs, name=f"{model.name}_auxiliary")


def _twin(norm: Norm) -> Norm:
    name = f"{norm.name}_auxiliary"
    return type(norm).from_config({**norm.get_config(), "name": name})
