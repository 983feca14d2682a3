"""VAE-GAN: an autoencoder of Gaussian codes, judged by a discriminator."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import tensorflow as tf

from ijsat_tf import checks, losses, seeds
from ijsat_tf.generators import vaegan_networks as networks
from ijsat_tf.runtime import loss_scale
from ijsat_tf.runtime.compiled import compiled
from ijsat_tf.runtime.step_model import StepModel
from ijsat_tf.samples import images_and_latents
from ijsat_tf.types import Seed, Tensor

_PART = 250


class Terms(NamedTuple):
    """The terms of the losses, one number per sample.

    Attributes:
        kl: Divergence KL(N(mu, sigma^2) || N(0, I)), (B,) nats.
        reconstruction: Distance |x - x^|_1, (B,), the sum over an image.
        adversarial: Loss -log D(x^), (B,) nats.
        discriminator: Loss -log D(x) - log(1 - D(x^)), (B,) nats.
    """

    kl: tf.Tensor
    reconstruction: tf.Tensor
    adversarial: tf.Tensor
    discriminator: tf.Tensor


@keras.saving.register_keras_serializable("ijsat_tf")
class VAEGAN(StepModel):
    """A variational autoencoder whose images a discriminator judges.

    With codes z = mu(x) + sigma(x) n, n ~ N(0, I), and x^ = G(z), a step of
    `fit` lowers these losses, each loss for its own network,

        encoder        KL(N(mu, sigma^2) || N(0, I)) + beta |x - x^|_1
                       - gamma log D(x^)
        decoder        beta |x - x^|_1 - gamma log D(x^)
        discriminator  -gamma (log D(x) + log(1 - D(x^)))

    in the mean over a batch. All gradients are taken at the same weights. One
    optimizer updates the three networks, because Adam's step of a weight
    depends on that weight alone. The source's learning rate starts at 0.005
    and is multiplied by 0.9 after each epoch, at 100 images per batch. Labels
    are ignored. Logs are the terms of the losses, `kl`, `reconstruction`,
    `adversarial` and `discriminator`.
    `dtype="mixed_bfloat16"` trains faster where the hardware has bfloat16.

    Args:
        image_shape: Shape (H, W, C) of the images, sides even, 6 or more;
            default (32, 32, 3).
        latent_size: Size of a code, default 25. The defaults of `latent_size`,
            `beta` and `gamma` are the source's for faces. For grey clothes the
            source has a `latent_size` of 10 and a `beta` of 2.75; the source
            has no settings for CIFAR-10.
        width: Number of channels next to the image, default 64.
        beta: Weight of the reconstruction, default 3.
        gamma: Weight of the adversarial losses, default 1.
        bound: Bound of the codes, which are taken to lie in [-bound, bound],
            default 2.
        seed: Random seed of `fit`, default 0.
        **kwargs: Further arguments of `keras.Model`, such as `name` and
            `dtype`.

    Raises:
        ValueError: for settings out of range.

    Source: Larsen et al., Autoencoding Beyond Pixels Using a Learned
    Similarity Metric, 2016, as in Stutz, Hein and Schiele, Disentangling
    Adversarial Robustness and Generalization, 2019, and
    https://github.com/davidstutz/disentangling-robustness-generalization.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int] = (32, 32, 3),
        latent_size: int = 25,
        width: int = 64,
        beta: float = 3.0,
        gamma: float = 1.0,
        bound: float = 2.0,
        seed: int = 0,
        **kwargs: Any,
    ):
        # The networks cast their inputs themselves; images must keep their
        # precision.
        super().__init__(autocast=False, **kwargs)
        self.image_shape = tuple(image_shape)
        self.latent_size, self.width = latent_size, width
        self.beta, self.gamma, self.bound = beta, gamma, bound
        self.seed = seed
        self._require_legal()
        self.latent_shape = (latent_size,)
        policy = self.dtype_policy
        sizes = self.image_shape, latent_size, width
        self.encoder = networks.encoder(*sizes, policy)
        self.decoder = networks.decoder(*sizes, policy)
        self.discriminator = networks.discriminator(
            self.image_shape, width, policy
        )
        self.trackers = [
            keras.metrics.Mean(name=name) for name in Terms._fields
        ]
        self.input_shape = (None, *self.image_shape)
        self.built = True

    def _require_legal(self) -> None:
        for name in ("latent_size", "width"):
            checks.at_least_one(name, getattr(self, name))
        for name in ("beta", "gamma", "bound"):
            checks.not_negative(name, getattr(self, name))
        checks.require(self.bound > 0, "`bound` must be positive.", self.bound)
        checks.require(
            len(self.image_shape) == 3
            and networks.halvings(self.image_shape, least=3) >= 1
            and self.image_shape[2] >= 1,
            "`image_shape` must be (H, W, C) with even sides of at least 6 "
            "pixels; resize or pad the images.",
            self.image_shape,
        )
        checks.require(
            self.dtype_policy.name in ("float32", "mixed_bfloat16"),
            "`dtype` must be 'float32' or 'mixed_bfloat16'.",
            self.dtype_policy.name,
        )

    @property
    def metrics(self) -> list[keras.Metric]:
        return self.trackers

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        images = self._images(data)
        seed = seeds.derive(self.seed, "train", self.optimizer.iterations)
        with tf.GradientTape(persistent=True) as tape:
            terms = self._terms(images, seed)
            # The KL term does not depend on the decoder, so the encoder and
            # the decoder share a loss.
            autoencoder = losses.global_mean(
                terms.kl
                + self.beta * terms.reconstruction
                + self.gamma * terms.adversarial
            )
            discriminator = losses.global_mean(self.gamma * terms.discriminator)
        variables, gradients = [], []
        for loss, network in (
            (autoencoder, self.encoder),
            (autoencoder, self.decoder),
            (discriminator, self.discriminator),
        ):
            own = network.trainable_variables
            variables += own
            gradients += loss_scale.gradients(self.optimizer, tape, loss, own)
        self.optimizer.apply(gradients, variables)
        return self._logged(terms)

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        return self._logged(self._terms(self._images(data)))

    def _terms(self, images: tf.Tensor, seed: tf.Tensor | None = None) -> Terms:
        """The loss terms: in training mode with a seed, else of mean codes."""
        training = seed is not None
        mean, log_variance = self.encoder(images, training=training)
        codes = mean
        if training:
            codes += tf.exp(log_variance / 2) * seeds.normal(mean, seed)
        decoded = self.decoder(codes, training=training)
        # In two calls: in the source each has a BatchNorm batch of its own.
        real = self.discriminator(images, training=training)[:, 0]
        false = self.discriminator(decoded, training=training)[:, 0]
        variance = tf.exp(log_variance)
        parts = tf.square(mean) + variance - log_variance - 1
        return Terms(
            kl=tf.reduce_sum(parts, axis=1) / 2,
            reconstruction=tf.reduce_sum(tf.abs(images - decoded), [1, 2, 3]),
            adversarial=tf.nn.softplus(-false),
            discriminator=tf.nn.softplus(-real) + tf.nn.softplus(false),
        )

    def _logged(self, terms: Terms) -> dict[str, tf.Tensor]:
        for tracker, each in zip(self.trackers, terms):
            tracker.update_state(each)
        return self.get_metrics_result()

    def call(self, images: Tensor, training: bool | None = None) -> tf.Tensor:
        """Returns `decode(encode(images))`."""
        return self.decode(self.encode(images))

    def encode(self, images: Tensor) -> tf.Tensor:
        """Maps images to their mean codes, clipped to [-bound, bound].

        Args:
            images: Images (B, H, W, C) in [0, 1].

        Returns:
            Latents (B, latent_size).
        """
        # Images of another decoder may lie a little outside of [0, 1].
        return self._encode(self._checked(images, slack=1.0))

    @compiled
    def _encode(self, images: tf.Tensor) -> tf.Tensor:
        mean, _ = self.encoder(images, training=False)
        return tf.clip_by_value(mean, -self.bound, self.bound)

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
        return self.decoder(latents, training=False)

    def sample(self, count: int, seed: Seed = 0) -> tf.Tensor:
        """Draws images G(z) with z ~ N(0, I), given z in [-bound, bound].

        Args:
            count: Number of images.
            seed: Random seed, default 0.

        Returns:
            Images (count, H, W, C) in [0, 1].
        """
        count = checks.at_least_one("count", count)
        latents = tf.random.stateless_parameterized_truncated_normal(
            [count, self.latent_size],
            seeds.derive(seed, "sample"),
            minvals=-self.bound,
            maxvals=self.bound,
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
            "image has the same weight in the losses.",
        )
        images, _ = images_and_latents(x)
        return self._checked(images)

    def _checked(self, images: Tensor, slack: float = 0.0) -> tf.Tensor:
        images = checks.images(images, shape=self.image_shape, slack=slack)
        return tf.cast(images, self.variable_dtype)

    def get_config(self) -> dict[str, Any]:
        names = "image_shape latent_size width beta gamma bound seed"
        config = {name: getattr(self, name) for name in names.split()}
        return {**super().get_config(), **config}
