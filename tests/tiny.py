"""The small images and networks that many tests share."""

import functools
import math

import keras
import numpy as np
import tensorflow as tf

import ijsat_tf as ij

SHAPE = (8, 8, 2)


def random_images(count: int = 6, shape=SHAPE) -> np.ndarray:
    """Interior images: no attack of radius 0.2 meets the border."""
    draws = np.random.default_rng(0).random((count, *shape))
    return (0.3 + 0.4 * draws).astype("float32")


def make_flow(dtype="float32", perturbed=True, **settings) -> ij.flows.Glow:
    """A Glow of two levels; perturbed, it is no longer affine."""
    settings = {"levels": 2, "steps": 1, "hidden": 8, **settings}
    flow = ij.flows.Glow(SHAPE, dtype=dtype, **settings)
    flow.initialize(random_images(32))
    if perturbed:
        draws = np.random.default_rng(1)
        for weight in flow.trainable_weights:
            noise = draws.normal(size=weight.shape, scale=0.05)
            weight.assign_add(noise.astype(weight.dtype))
    return flow


def make_classifier(
    classes: int = 3, batch_norm=True, shape=SHAPE
) -> keras.Model:
    """A small classifier with BatchNorm, whose statistics must not move."""
    norm = keras.layers.BatchNormalization(
        momentum=0.9,
        synchronized=tf.distribute.get_strategy().num_replicas_in_sync > 1,
    )
    return keras.Sequential(
        [
            keras.layers.Input(shape),
            keras.layers.Conv2D(4, 3, padding="same"),
            *([norm] if batch_norm else []),
            keras.layers.ReLU(name="stage1"),
            keras.layers.Flatten(),
            keras.layers.Dense(classes, dtype="float32"),
        ]
    )


@keras.saving.register_keras_serializable("tests")
class Decoder(keras.Model):
    """A generator without a way back from images, as a GAN is."""

    def __init__(self, shape=SHAPE, size=6, name="decoder"):
        super().__init__(name=name)
        self.shape, self.size = tuple(shape), size
        self.latent_shape = (size,)
        self.network = keras.Sequential(
            [
                keras.layers.Input((size,)),
                keras.layers.Dense(16, activation="tanh"),
                keras.layers.Dense(math.prod(shape), activation="sigmoid"),
                keras.layers.Reshape(shape),
            ]
        )
        self.built = True

    def decode(self, latents):
        return self.network(latents, training=False)

    def get_config(self):
        return {"shape": self.shape, "size": self.size, "name": self.name}


def make_linear(shape=SHAPE):
    """w, and the classifier with logits (0, w . (x - 1/2)).

    An attack on class 0 makes w . x larger, and the most that it can gain in
    a ball is the radius times the dual norm of w.
    """
    weights = np.random.default_rng(2).normal(size=shape, scale=0.1)
    weights = weights.astype("float32")

    def model(images):
        margin = tf.reduce_sum(weights * (images - 0.5), axis=[1, 2, 3])
        return tf.stack([tf.zeros_like(margin), margin], axis=1)

    return weights, model


def pulled_back(flow: ij.flows.Glow, weights: np.ndarray) -> list[np.ndarray]:
    """A^T w of an affine flow x = A z + c, one vector a level.

    Differences of decoded images are exact, as the flow is affine.
    """
    origin = flow.encode(random_images(1))
    ends = np.cumsum([tf.size(latent) for latent in origin])[:-1]
    point = np.concatenate([np.ravel(latent) for latent in origin])
    moved = np.vstack([point, point + np.eye(point.size, dtype="float32")])
    latents = [
        part.reshape(-1, *shape)
        for part, shape in zip(np.split(moved, ends, 1), flow.latent_shapes)
    ]
    margins = np.sum(weights * flow.decode(latents), (1, 2, 3))
    return np.split(margins[1:] - margins[0], ends)


@functools.cache
def two_replicas() -> tf.distribute.Strategy:
    """One for all tests: the collectives of two would mix in one process."""
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
