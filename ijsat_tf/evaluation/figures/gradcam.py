"""Grad-CAM: the places of an image that speak for a class."""

from __future__ import annotations

import keras
import tensorflow as tf

from ijsat_tf import checks, models
from ijsat_tf.runtime.compiled import compiled
from ijsat_tf.types import Tensor


def grad_cam(
    model: keras.Model,
    images: Tensor,
    classes: Tensor | None = None,
    layer: str | None = None,
) -> tf.Tensor:
    """Computes how much each place of an image speaks for a class.

    The heat map (Fig. 5 and 9) is relu(sum_k w_k A_k) for the activations A of
    a layer, where w_k is the mean over places of dz_c / dA_k for the logit
    z_c. The map is enlarged to the size of the image (bilinear), and scaled so
    that its least and largest values are 0 and 1.

    Args:
        model: Functional or sequential Keras classifier.
        images: Images (B, H, W, C) in [0, 1].
        classes: Classes c, (B,), ints; None, the default, for the classes that
            the model predicts.
        layer: Name of the layer of the activations A; None, the default, for
            the last layer with a height and a width.

    Returns:
        Heat maps (B, H, W) in [0, 1]; all 0 where nothing speaks for the
        class.

    Raises:
        ValueError: for a model that cannot be cut behind `layer`, images that
            are not floats in [0, 1], and classes that the model does not
            have.

    Source: Selvaraju et al., Grad-CAM: Visual Explanations from Deep Networks
    via Gradient-based Localization, 2017.
    """
    front, back = models.stages(model, [layer or _last_spatial(model)])
    checks.require(
        len(front.output_shape) == 4,
        "`layer` must give activations (B, H, W, C).",
        f"{front.output_shape} of {front.name!r}",
    )
    images = checks.images(images, shape=model.input_shape[1:])
    if classes is None:
        classes = tf.argmax(model(images, training=False), axis=-1)
    weights = checks.one_hot(
        checks.one_a_row(classes, images), model.output_shape[-1]
    )
    return _heat(front, back, images, weights)


@compiled
def _heat(
    front: keras.Model, back: keras.Model, images: tf.Tensor, weights: tf.Tensor
) -> tf.Tensor:
    activations = front(images, training=False)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(activations)
        logits = back(activations, training=False)
        chosen = tf.reduce_sum(tf.cast(weights, logits.dtype) * logits)
    slopes = tf.cast(tape.gradient(chosen, activations), tf.float32)
    importance = tf.reduce_mean(slopes, axis=(1, 2), keepdims=True)
    heat = tf.nn.relu(
        tf.reduce_sum(
            importance * tf.cast(activations, tf.float32), -1, keepdims=True
        )
    )
    heat = tf.image.resize(heat, images.shape[1:3])[..., 0]
    least = tf.reduce_min(heat, axis=(1, 2), keepdims=True)
    spread = tf.reduce_max(heat, axis=(1, 2), keepdims=True) - least
    return tf.math.divide_no_nan(heat - least, spread)


def _last_spatial(model: keras.Model) -> str:
    """Returns the name of the last layer with a height and a width."""
    for layer in reversed(getattr(model, "layers", [])):
        # A layer that is called more than once has no single output shape.
        shape = getattr(getattr(layer, "output", None), "shape", ())
        if len(shape) == 4 and max(shape[1] or 2, shape[2] or 2) > 1:
            try:
                models.stages(model, [layer.name])
            except ValueError:
                continue
            return layer.name
    raise ValueError(
        "`model` has no layer with a height and a width that all images pass "
        "through; name one by `layer`, or make the model of such layers. "
        f"Received: {model!r}"
    )
