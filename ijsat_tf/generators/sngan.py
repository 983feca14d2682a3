"""SNGAN: a generator trained against a spectrally normalised discriminator."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from ijsat_tf import checks, losses, seeds
from ijsat_tf.generators import sngan_networks as networks
from ijsat_tf.generators.slowed import slowed
from ijsat_tf.runtime import loss_scale
from ijsat_tf.runtime.compiled import compiled
from ijsat_tf.runtime.step_model import StepModel
from ijsat_tf.samples import images_and_latents
from ijsat_tf.types import Seed, Tensor

_PART = 250


@keras.saving.register_keras_serializable("ijsat_tf")
class SNGAN(StepModel):
    """A generative adversarial network with spectral normalisation.

    L_D = E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))];  L_G = -E[D(G(z))]

    with z ~ N(0, I). A step of `fit` takes one batch of images. The step
    splits the batch into `critic_steps` parts, and updates the discriminator
    on each part and the same number of images G(z). The step then updates the
    generator once, on twice as many images G(z).
    `fit(images, batch_size=5 * 64)` has the source's 64 images per update;
    labels are ignored. Logs are `discriminator_loss` and `generator_loss`.
    The step adds uniform noise of one grey level to the images, and maps them
    to [-1, 1]. `dtype="mixed_bfloat16"` trains faster where the hardware has
    bfloat16.

    Args:
        image_shape: Shape (S, S, C) of the images with S = 4 * 2^n; the
            generator has one residual block for each doubling. Default
            (32, 32, 3).
        latent_size: Size of z, default 128.
        width: Number of channels of the generator, default 256.
        discriminator_width: Number of channels of the discriminator, default
            128.
        critic_steps: Number of discriminator updates for each update of the
            generator, default 5.
        bins: Number of grey levels of the images, default 256.
        seed: Random seed of `fit`, default 0.
        **kwargs: Further arguments of `keras.Model`, such as `name` and
            `dtype`.

    Raises:
        ValueError: for sides that are not equal, or not 4 * 2^n.

    Source: Miyato, Kataoka, Koyama and Yoshida, Spectral Normalization for
    Generative Adversarial Networks, 2018, and
    https://github.com/pfnet-research/sngan_projection.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int] = (32, 32, 3),
        latent_size: int = 128,
        width: int = 256,
        discriminator_width: int = 128,
        critic_steps: int = 5,
        bins: int = 256,
        seed: int = 0,
        **kwargs: Any,
    ):
        # The networks cast their inputs themselves; images must keep their
        # precision.
        super().__init__(autocast=False, **kwargs)
        self.image_shape = tuple(image_shape)
        self.latent_size, self.width = latent_size, width
        self.discriminator_width = discriminator_width
        self.critic_steps, self.bins, self.seed = critic_steps, bins, seed
        self._require_legal()
        self.latent_shape = (latent_size,)
        self.generator = networks.generator(
            self.image_shape, latent_size, width, self.dtype_policy
        )
        self.discriminator = networks.discriminator(
            self.image_shape, discriminator_width, self.dtype_policy
        )
        self.trackers = [
            keras.metrics.Mean(name=f"{name}_loss")
            for name in ("discriminator", "generator")
        ]
        self.input_shape = (None, latent_size)
        self.built = True

    def _require_legal(self) -> None:
        names = "latent_size width discriminator_width critic_steps"
        for name in names.split():
            checks.at_least_one(name, getattr(self, name))
        checks.require(self.bins >= 2, "`bins` must be at least 2.", self.bins)
        shape = self.image_shape
        checks.require(
            len(shape) == 3
            and shape[0] == shape[1]
            and shape[0] in [4 * 2**n for n in range(1, 12)]
            and shape[2] >= 1,
            "`image_shape` must be (S, S, C) with S = 4 * 2^n: 8, 16, 32 and "
            "so on; resize or pad the images.",
            shape,
        )
        checks.require(
            self.dtype_policy.name in ("float32", "mixed_bfloat16"),
            "`dtype` must be 'float32' or 'mixed_bfloat16'.",
            self.dtype_policy.name,
        )

    def compile(
        self,
        optimizer: Any = None,
        discriminator_optimizer: Any = None,
        **kwargs: Any,
    ) -> None:
        """Compiles as `StepModel.compile`, with an optimizer for each network.

        The source's learning rate falls linearly to 0 over the whole run:
        `Adam(PolynomialDecay(2e-4, steps, 0.0), beta_1=0.0, beta_2=0.9)`.

        Args:
            optimizer: Optimizer of the generator, whose `iterations` count the
                steps of `fit`; None, the default, stands for
                Adam(2e-4, beta_1=0, beta_2=0.9).
            discriminator_optimizer: Optimizer of the discriminator; None, the
                default, stands for a copy of `optimizer` that has the same
                learning rate at any time.
            **kwargs: Further arguments of `StepModel.compile`.

        Raises:
            ValueError: as `StepModel.compile` does, for either optimizer.
        """
        if optimizer is None:
            optimizer = keras.optimizers.Adam(2e-4, beta_1=0.0, beta_2=0.9)
        optimizer = keras.optimizers.get(optimizer)
        discriminator_optimizer = keras.optimizers.get(
            discriminator_optimizer or slowed(optimizer, self.critic_steps)
        )
        for each, network in (
            (discriminator_optimizer, self.discriminator),
            (optimizer, self.generator),
        ):
            loss_scale.build(each, network.trainable_variables)
        # Called twice, so that both optimizers are checked.
        super().compile(discriminator_optimizer, **kwargs)
        self.discriminator_optimizer = discriminator_optimizer
        super().compile(optimizer, **kwargs)

    def get_compile_config(self) -> dict[str, Any]:
        config = super().get_compile_config()
        if config:
            config["discriminator_optimizer"] = (
                keras.saving.serialize_keras_object(
                    self.discriminator_optimizer
                )
            )
        return config

    @property
    def metrics(self) -> list[keras.Metric]:
        return self.trackers

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        images = self._images(data)
        seed = seeds.derive(self.seed, "train", self.optimizer.iterations)
        for number in range(self.critic_steps):
            # The parts are strides, so that the parts of all replicas together
            # are the parts of a single replica.
            part = images[number :: self.critic_steps]
            self._discriminator_step(part, seeds.derive(seed, number))
        count = 2 * tf.shape(part)[0]
        self._generator_step(count, seeds.derive(seed, "generator"))
        return self.get_metrics_result()

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        seed = seeds.derive(self.seed, "test")
        real, fake = self._judged(self._images(data), seed, training=False)
        self.trackers[0].update_state(hinge(real, fake))
        self.trackers[1].update_state(-fake)
        return self.get_metrics_result()

    def _discriminator_step(self, images: tf.Tensor, seed: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            each = hinge(*self._judged(images, seed, training=True))
            loss = losses.global_mean(each)
        _apply(self.discriminator_optimizer, tape, loss, self.discriminator)
        self.trackers[0].update_state(each)

    def _generator_step(self, count: tf.Tensor, seed: tf.Tensor) -> None:
        latents = self._latents(count, seed)
        with tf.GradientTape() as tape:
            fake = self.generator(latents, training=True)
            each = -_finite(self.discriminator(fake, training=True))
            loss = losses.global_mean(each)
        _apply(self.optimizer, tape, loss, self.generator)
        self.trackers[1].update_state(each)

    def _judged(
        self, images: tf.Tensor, seed: tf.Tensor, training: bool
    ) -> list[tf.Tensor]:
        """Outputs D(x) and D(G(z)), both (B,), for as many z as images."""
        real = self._dequantized(images, seeds.derive(seed, "dequantize"))
        latents = self._latents(
            tf.shape(images)[0], seeds.derive(seed, "latents")
        )
        fake = self.generator(latents, training=training)
        # One call judges both, so that one power iteration serves both.
        both = tf.concat([real, fake], 0)
        outputs = self.discriminator(both, training=training)
        return tf.split(_finite(outputs), 2)

    def call(self, latents: Tensor, training: bool | None = None) -> tf.Tensor:
        """Returns `decode(latents)`."""
        return self.decode(latents)

    def decode(self, latents: Tensor) -> tf.Tensor:
        """Maps latents to images, x = G(z), in inference mode.

        Args:
            latents: Latents (B, latent_size).

        Returns:
            Images (B, H, W, C) in [0, 1].
        """
        latents = tf.convert_to_tensor(latents)
        checks.require(
            latents.shape.rank == 2 and latents.shape[1] == self.latent_size,
            f"`latents` must have shape (B, {self.latent_size}).",
            f"shape {tuple(latents.shape)}",
        )
        return self._decode(tf.cast(latents, self.variable_dtype))

    @compiled
    def _decode(self, latents: tf.Tensor) -> tf.Tensor:
        return (self.generator(latents, training=False) + 1) / 2

    def sample(self, count: int, seed: Seed = 0) -> tf.Tensor:
        """Draws images G(z) with z ~ N(0, I).

        Args:
            count: Number of images.
            seed: Random seed, default 0.

        Returns:
            Images (count, H, W, C) in [0, 1].
        """
        count = checks.at_least_one("count", count)
        latents = tf.random.stateless_normal(
            [count, self.latent_size], seeds.derive(seed, "sample")
        )
        # In parts: a thousand images need gigabytes of activations.
        parts = [
            self.decode(latents[start : start + _PART])
            for start in range(0, count, _PART)
        ]
        return tf.concat(parts, 0)

    def _images(self, data: Any) -> tf.Tensor:
        x, _, weight = keras.utils.unpack_x_y_sample_weight(data)
        checks.require(
            weight is None,
            "`sample_weight` and `class_weight` must be None, because every "
            "image has the same weight in the losses of a GAN.",
        )
        images, _ = images_and_latents(x)
        images = checks.images(images, shape=self.image_shape)
        checked = checks.require(
            tf.shape(images)[0] >= self.critic_steps,
            f"A batch must have at least `critic_steps` = {self.critic_steps} "
            "images per replica, one for each update of the discriminator; "
            "use a larger batch.",
            tf.shape(images)[0],
        )
        return checks.after(checked, tf.cast(images, self.variable_dtype))

    def _dequantized(self, images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        noise = (seeds.uniform(images, seed) + 1) / 2
        return 2 * (images * (self.bins - 1) + noise) / self.bins - 1

    def _latents(self, count: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        return seeds.of_this_replica(
            lambda rows: tf.random.stateless_normal(
                [rows, self.latent_size], seed
            ),
            count,
        )

    def get_config(self) -> dict[str, Any]:
        names = (
            "image_shape latent_size width discriminator_width critic_steps "
            "bins seed"
        )
        config = {name: getattr(self, name) for name in names.split()}
        return {**super().get_config(), **config}


def hinge(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """The hinge loss max(0, 1 - D(x)) + max(0, 1 + D(G(z))) per pair.

    Args:
        real: Outputs D(x) for real images, (B,).
        fake: Outputs D(G(z)) for generated images, (B,).

    Returns:
        Losses (B,).
    """
    return tf.nn.relu(1 - real) + tf.nn.relu(1 + fake)


def _finite(outputs: tf.Tensor) -> tf.Tensor:
    # Checked before any loss, since a rectified NaN may be 0.
    return checks.finite(outputs[:, 0], "The discriminator's output")


def _apply(
    optimizer: keras.optimizers.Optimizer,
    tape: tf.GradientTape,
    loss: tf.Tensor,
    network: keras.Model,
) -> None:
    variables = network.trainable_variables
    gradients = loss_scale.gradients(optimizer, tape, loss, variables)
    optimizer.apply(gradients, variables)
