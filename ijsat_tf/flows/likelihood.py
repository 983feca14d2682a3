"""Maximum likelihood training of a density on images, in bits/dim."""

from __future__ import annotations

import math
from typing import Any

import keras
import tensorflow as tf

from ijsat_tf import checks, losses, seeds
from ijsat_tf.runtime import loss_scale
from ijsat_tf.runtime.step_model import StepModel


@keras.saving.register_keras_serializable("ijsat_tf")
class WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that rises linearly over the first steps.

    Without a warm-up flows tend to diverge in their first hundred steps; a
    long warm-up costs bits/dim.

    Args:
        learning_rate: Learning rate after the rise, a float or another
            schedule.
        steps: Number of optimizer steps that the rise takes, default 100.
    """

    def __init__(self, learning_rate: Any, steps: int = 100):
        self.learning_rate = learning_rate
        self.steps = steps

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        rate = self.learning_rate
        if callable(rate):
            rate = rate(step)
        passed = (tf.cast(step, tf.float32) + 1) / max(self.steps, 1)
        return rate * tf.minimum(passed, 1.0)

    def get_config(self) -> dict:
        rate = keras.saving.serialize_keras_object(self.learning_rate)
        return {"learning_rate": rate, "steps": self.steps}

    @classmethod
    def from_config(cls, config: dict) -> WarmUp:
        rate = keras.saving.deserialize_keras_object(config["learning_rate"])
        return cls(rate, config["steps"])


class LikelihoodModel(StepModel):
    """A Keras model with a density, which `fit` trains on images alone.

    Subclasses define `_log_prob(images)`, log p(x) of images in [0, 1] with
    respect to that scale, (B,) nats; `_ready(images)`, which checks images;
    and the weight `fitted_bits`, which keeps the epoch's mean bits/dim.

    Args:
        bins: Number of grey levels of the images, 256 for 8 bits.
        gradient_clip: Largest gradient norm of a step, in bits/dim.
        seed: Random seed of the dequantisation noise.
        **kwargs: Further arguments of `keras.Model`.
    """

    def __init__(
        self, bins: int, gradient_clip: float, seed: int, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.bins = bins
        self.gradient_clip = gradient_clip
        self.seed = seed
        self.bits_tracker = keras.metrics.Mean(name="bits_per_dim")

    @property
    def metrics(self) -> list[keras.Metric]:
        return [self.bits_tracker]

    def dequantize(self, images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Adds uniform noise of one grey level, U(0, 1 / (bins - 1)).

        Args:
            images: Images (B, H, W, C) in [0, 1], on the grid of grey levels.
            seed: Stateless seed of the noise, (2,) int32.

        Returns:
            Images (B, H, W, C) in [0, bins / (bins - 1)].
        """
        noise = seeds.uniform(images, seed)
        return images + (noise + 1) / 2 / (self.bins - 1)

    def _bits_per_dim(self, images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        nats = self._log_prob(self.dequantize(images, seed))
        dims = math.prod(images.shape[1:])
        return math.log2(self.bins - 1) - nats / (dims * math.log(2))

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        images = self._images(data)
        variables = self.trainable_variables
        seed = seeds.derive(self.seed, "dequantize", self.optimizer.iterations)
        with tf.GradientTape() as tape:
            bits = self._bits_per_dim(images, seed)
            loss = losses.global_mean(bits)
        gradients = loss_scale.gradients(self.optimizer, tape, loss, variables)
        self.optimizer.apply(self._clipped(gradients), variables)
        self.bits_tracker.update_state(bits)
        self.fitted_bits.assign(self.bits_tracker.result())
        return self.get_metrics_result()

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        seed = seeds.derive(self.seed, "dequantize")
        self.bits_tracker.update_state(
            self._bits_per_dim(self._images(data), seed)
        )
        return self.get_metrics_result()

    def _images(self, data: Any) -> tf.Tensor:
        images, _, weight = keras.utils.unpack_x_y_sample_weight(data)
        checks.require(
            weight is None,
            "`sample_weight` and `class_weight` must be None, because every "
            "image has the same weight in the likelihood.",
        )
        if isinstance(images, dict):  # As TensorFlow Datasets gives them.
            checks.require(
                "image" in images,
                "Samples must be images, or dicts with the key 'image'.",
                sorted(images),
            )
            images = images["image"]
        return self._ready(images)

    def _clipped(self, gradients: list[tf.Tensor]) -> list[tf.Tensor]:
        # The clipped norm must be that of the sum over replicas, which the
        # optimizer forms only later.
        replicas = seeds.replicas()
        if replicas > 1:
            context = tf.distribute.get_replica_context()
            gradients = context.all_reduce("sum", gradients)
        # The gradients still include the loss scale, so the bound must too.
        clip = tf.cast(self.gradient_clip, gradients[0].dtype)
        clip = self.optimizer.scale_loss(clip)
        clipped, _ = tf.clip_by_global_norm(gradients, clip)
        return [gradient / replicas for gradient in clipped]
