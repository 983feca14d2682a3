"""Models as functions from images to logits, the form that attacks take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from ijsat_tf import checks
from ijsat_tf.models.inference import inference
from ijsat_tf.types import LogitsFn

PROBABILITIES = (
    "The model's outputs look like probabilities; attacks need logits. Use "
    "ijsat_tf.models.logits(model)."
)


def as_logits(model: Callable) -> LogitsFn:
    """Wraps a model as a function from images to float32 logits (B, K).

    Args:
        model: Keras model, called with `training=False`, or another callable,
            called with the images alone. If the model returns a dict or a list
            of one entry, that entry is taken.

    Returns:
        A function of images (B, H, W, C), whose attribute `model` is the given
        model.

    Raises:
        ValueError: for a model that cannot be called, and, at the call, for
            outputs other than logits (B, K) with K >= 2.
    """
    call = _call(model)

    def logits_of(images: tf.Tensor) -> tf.Tensor:
        try:
            outputs = call(images)
        except (AttributeError, NotImplementedError) as error:
            # TensorFlow's error for `.numpy()`, as in `model.predict`.
            if tf.executing_eagerly() or "ymbolic" not in str(error):
                raise
            raise ValueError(
                "`model` must use TensorFlow operations, and this function "
                "converts the images to a NumPy array, as `model.predict` "
                "does: give the Keras model itself, or wrap the function by "
                "`tf.numpy_function` for attacks without gradients."
            ) from error
        logits = tf.convert_to_tensor(_only(outputs))
        checks.require(
            logits.shape.rank == 2 and logits.shape[-1] is not None,
            "`model` must map images to logits of shape (B, K); if TensorFlow "
            "does not know the shape, end your function with "
            "tf.ensure_shape(logits, [None, K]).",
            f"shape {logits.shape}",
        )
        checks.require(
            logits.shape[-1] != 1,
            "`model` must have a logit for each class, (B, K) with K of at "
            "least 2. Use ijsat_tf.models.logits(model), which makes two "
            "logits of a single output.",
            f"shape {logits.shape}",
        )
        return tf.cast(logits, tf.float32)

    # For attacks that need the model itself, such as its layers.
    logits_of.model = model
    return logits_of


def first_logits(logits_of: LogitsFn, images: tf.Tensor) -> tf.Tensor:
    """The logits of the first image, (1, K).

    This first call is made outside of any loop, where the model may still make
    variables. The batch of one is a static shape.

    Args:
        logits_of: Function from images to logits (B, K).
        images: Images (B, H, W, C).
    """
    return logits_of(tf.ensure_shape(images[:1], [1, *images.shape[1:]]))


def seem_probabilities(outputs: tf.Tensor) -> tf.Tensor:
    """Whether outputs look like probabilities rather than logits, () bool.

    Args:
        outputs: Outputs (B, K) of a model.
    """
    sums = tf.reduce_sum(outputs, axis=-1)
    return tf.reduce_all(outputs >= 0) & tf.reduce_all(
        tf.abs(sums - 1) < 1e-2  # bfloat16 has few digits.
    )


def _building(
    model: keras.layers.Layer, call: Callable
) -> Callable[[tf.Tensor], Any]:
    def run(images: tf.Tensor) -> Any:
        if isinstance(model, keras.Sequential) and not model.built:
            # Keras would fix the batch size of the first call.
            model.build((None, *images.shape[1:]))
        return call(images)

    return run


def _call(model: Any) -> Callable[[tf.Tensor], Any]:
    if isinstance(model, keras.layers.Layer):
        return _building(model, inference(model))
    owner = getattr(model, "__self__", None)
    if isinstance(owner, keras.Model):
        checks.require(
            model.__name__ not in ("predict", "predict_on_batch"),
            "`model` must be the Keras model itself, because `predict` "
            "returns arrays without gradients; pass the model.",
            f"{owner.name}.{model.__name__}",
        )
    checks.require(
        callable(model),
        "`model` must be a Keras model or a function from images to logits; "
        "for a loaded SavedModel pass an endpoint, such as `loaded.serve`.",
        type(model).__name__,
    )
    signature = getattr(model, "structured_input_signature", None)
    if signature and not signature[0] and len(signature[1]) == 1:
        # A signature of a SavedModel takes its input by name alone.
        (name,) = signature[1]
        return lambda images: model(**{name: images})
    return model


def _only(outputs: Any) -> Any:
    """The only entry of a dict or list; other outputs as they are."""
    if not isinstance(outputs, (dict, list, tuple)):
        return outputs
    names = list(outputs) if isinstance(outputs, dict) else len(outputs)
    checks.require(
        len(outputs) == 1,
        "`model` must have one output, the logits (B, K); pass a function "
        "that selects the logits, such as "
        "`lambda images: model(images, training=False)[...]`.",
        f"outputs {names}",
    )
    (entry,) = outputs.values() if isinstance(outputs, dict) else outputs
    return entry
