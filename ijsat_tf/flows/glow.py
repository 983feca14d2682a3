"""Glow: an invertible network between images and latents."""

from __future__ import annotations

import math
import types
from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from ijsat_tf import checks, seeds
from ijsat_tf.flows import presets
from ijsat_tf.flows.fused import Fused
from ijsat_tf.flows.level import Level
from ijsat_tf.flows.likelihood import LikelihoodModel
from ijsat_tf.flows.multiscale import Multiscale
from ijsat_tf.runtime.compiled import compiled
from ijsat_tf.types import Seed, Tensor

tfb = tfp.bijectors


@keras.saving.register_keras_serializable("ijsat_tf")
class Glow(LikelihoodModel):
    """A multiscale normalizing flow, x = G(z), exactly invertible.

    log p(x) = log p(G^-1(x)) + log |det dG^-1(x) / dx|   (Eq. 5)

    Images are in [0, 1] everywhere; their map to
    x (bins - 1) / bins - 1/2 is part of G. Latents are a list, level 1
    first, e.g. (B,16,16,6) (B,8,8,12) (B,4,4,24) (B,2,2,96) for images of
    32x32x3 and 4 levels. The hidden layers of coupling nets compute in the
    policy's compute type, and everything else computes in its variable type.
    `dtype="mixed_bfloat16"` makes training and attacks faster where the
    hardware has bfloat16; `dtype="float64"` inverts to machine precision.

    Args:
        image_shape: Shape (H, W, C) of the images, with sides divisible by
            2^levels, default (32, 32, 3).
        levels: Number of levels, default 4 (the paper, A.1).
        steps: Number of flow steps per level, default 8 (the paper, A.1).
        hidden: Width of the coupling nets, default 512.
        bins: Number of grey levels of the images, default 256.
        deviations: Bounds (low, high) of the learned priors' standard
            deviations, with 0 < low < 1 < high, default (0.001, 2). None leaves
            the deviations unbounded, as in flows that were saved before this
            setting existed.
        gradient_clip: Largest gradient norm of a step of `fit`, in bits/dim,
            default 1.
        seed: Random seed of the dequantisation noise in `fit`, default 0.
        **kwargs: Further arguments of `keras.Model`, such as `name` and
            `dtype`.

    Raises:
        ValueError: for sides that cannot be halved `levels` times, for bounds
            that do not enclose 1, and for other settings out of range.

    Source: Kingma and Dhariwal, Glow: Generative Flow with Invertible 1x1
    Convolutions, 2018.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int] = (32, 32, 3),
        levels: int = 4,
        steps: int = 8,
        hidden: int = 512,
        bins: int = 256,
        gradient_clip: float = 1.0,
        seed: int = 0,
        deviations: tuple[float, float] | None = (0.001, 2.0),
        **kwargs: Any,
    ):
        # The nets cast their inputs; images must keep their precision.
        super().__init__(bins, gradient_clip, seed, autocast=False, **kwargs)
        self.image_shape = tuple(image_shape)
        self.levels, self.steps, self.hidden = levels, steps, hidden
        self.deviations = tuple(deviations) if deviations else None
        self._require_legal()
        self.initialized = self.add_weight(
            shape=(),
            initializer="zeros",
            trainable=False,
            autocast=False,
            name="initialized",
        )
        # Saved with the weights, so that `familiarity` works on a loaded flow.
        self.fitted_bits = self.add_weight(
            shape=(),
            initializer="zeros",
            trainable=False,
            autocast=False,
            aggregation="mean",
            name="fitted_bits",
        )
        height, width, channels = self.image_shape
        shape = (None, height, width, channels)
        self.latent_shapes = []
        self.level_layers = []
        for number in range(1, levels + 1):
            last = number == levels
            level = Level(
                steps,
                hidden,
                last,
                self.deviations,
                dtype=self.dtype_policy,
                name=f"level{number}",
            )
            level.build(shape)
            self.level_layers.append(level)
            _, height, width, channels = shape
            channels = 4 * channels if last else 2 * channels
            shape = (None, height // 2, width // 2, channels)
            self.latent_shapes.append(shape[1:])
        self.input_shape = (None, *self.image_shape)
        self.built = True

    @staticmethod
    def from_preset(
        name: str, dtype: str | keras.DTypePolicy = "float32"
    ) -> Glow:
        """Loads a trained flow that comes with the library.

        Args:
            name: Name of the preset. "glow_cifar10_small" has 4 levels of 8
                steps with 64 hidden units, for images of (32, 32, 3). Its
                training data, bits/dim and inversion errors are in the card
                beside the file, `ijsat_tf/flows/presets/glow_cifar10_small.md`.
            dtype: Dtype policy, default "float32"; "mixed_bfloat16" makes
                attacks faster where the hardware has bfloat16.

        Returns:
            A flow that is ready to encode, or to be trained further.

        Raises:
            ValueError: for an unknown name.
        """
        return keras.saving.load_model(presets.path(name)).with_dtype(dtype)

    @property
    def fitted_bits_per_dim(self) -> float | None:
        """Mean bits/dim of the training images in the last epoch of `fit`.

        None for a flow that was not fitted, or that was saved before flows
        kept this number.
        """
        return float(keras.ops.convert_to_numpy(self.fitted_bits)) or None

    def load_own_variables(self, store: Any) -> None:
        """Loads weights as Keras does, also of flows without `fitted_bits`.

        Args:
            store: Weights by their numbers, as Keras reads a file.
        """
        if len(store.keys()) == 1:
            self.initialized.assign(store["0"])
        else:
            super().load_own_variables(store)

    def _require_legal(self) -> None:
        for name in ("levels", "steps", "hidden"):
            checks.require(
                getattr(self, name) >= 1,
                f"`{name}` must be at least 1.",
                getattr(self, name),
            )
        checks.require(self.bins >= 2, "`bins` must be at least 2.", self.bins)
        checks.require(
            len(self.image_shape) == 3
            and all(side > 0 for side in self.image_shape)
            # 2^levels may be a number of more digits than memory holds.
            and self.levels < max(self.image_shape[:2])
            and all(
                side % 2**self.levels == 0 for side in self.image_shape[:2]
            ),
            f"`image_shape` must be (H, W, C) with sides divisible by "
            f"2^levels, levels = {self.levels}; use fewer levels or pad the "
            "images.",
            self.image_shape,
        )
        bounds = self.deviations
        checks.require(
            bounds is None
            or (len(bounds) == 2 and 0 < bounds[0] < 1 < bounds[1] < math.inf),
            "`deviations` must be (low, high) with 0 < low < 1 < high, such "
            "as (0.001, 2), or None.",
            bounds,
        )
        checks.require(
            self.compute_dtype != "float16"
            and self.variable_dtype in ("float32", "float64"),
            "`dtype` must be 'mixed_bfloat16', 'float32' or 'float64', "
            "because the inverse needs more digits than other types have.",
            self.dtype_policy.name,
        )

    def multiscale(self, standardized: bool = False) -> tfb.Bijector:
        """G as a `tfp.bijectors.Bijector`, built from the present weights.

        Args:
            standardized: Whether latents are measured in standard deviations of
                their learned priors, default False.

        Returns:
            A bijector whose `forward` maps latents to images.
        """
        return tfb.Chain(
            [
                tfb.Scale(
                    tf.cast(self.bins / (self.bins - 1), self.variable_dtype)
                ),
                tfb.Shift(tf.cast(0.5, self.variable_dtype)),
                Multiscale(self.level_layers, standardized),
            ]
        )

    @property
    def bijector(self) -> tfb.Bijector:
        """G as a bijector; its `forward` takes `encode`'s list to images."""
        return self.multiscale()

    def initialize(self, images: Tensor) -> None:
        """Sets every ActNorm from a batch of images, once, before training.

        Args:
            images: Images (B, H, W, C), float, in [0, 1]; 256 images suffice.

        Raises:
            ValueError: when called inside a graph or a strategy's step, or
                a second time, and for images that do not fit.
        """
        checks.require(
            tf.executing_eagerly()
            and (
                tf.distribute.in_cross_replica_context()
                or not tf.distribute.has_strategy()
            ),
            "`initialize` must be called eagerly, outside of a step, because "
            "each replica of a step sees other images; call it before `fit`.",
        )
        checks.require(
            not self.initialized > 0,
            "The flow is initialised already, and another initialisation "
            "would undo its training; make a new Glow.",
        )
        images = self._checked(images)
        scale = (self.bins - 1) / self.bins
        activations = (
            self.dequantize(images, seeds.derive(self.seed)) * scale - 0.5
        )
        for level in self.level_layers:
            level.initialize(activations)
            activations, _ = level.inverse_and_log_det(activations)
            if not level.last:
                activations, _ = tf.split(activations, 2, axis=-1)
        self.initialized.assign(1.0)

    def encode(
        self, images: Tensor, standardized: bool = False
    ) -> list[tf.Tensor]:
        """Maps images to latents, z = G^-1(x).

        Args:
            images: Images (B, H, W, C), float, in [0, 1]; no noise is added.
            standardized: Whether latents are measured in standard deviations of
                their learned priors, default False.

        Returns:
            Latents, a list of (B, h, w, c), level 1 first.

        Raises:
            ValueError: for images that do not fit, and for a flow that is not
                initialized.
        """
        return self._encode(self._ready(images, slack=1.0), standardized)

    @compiled
    def _encode(self, images: tf.Tensor, standardized: bool) -> list[tf.Tensor]:
        return self.multiscale(standardized).inverse(images)

    def decode(
        self, latents: list[Tensor], standardized: bool = False
    ) -> tf.Tensor:
        """Maps latents to images, x = G(z), not clipped.

        Args:
            latents: Latents, a list of (B, h, w, c), as `encode` returns.
            standardized: Whether latents are measured in standard deviations of
                their learned priors, as given to `encode`, default False.

        Returns:
            Images (B, H, W, C), in [0, 1] where the flow fits its data.

        Raises:
            ValueError: for latents of other shapes, and for a flow that is not
                initialized.
        """
        self._require_initialized()
        return self._decode(self._legal(latents), standardized)

    @compiled
    def _decode(
        self, latents: list[tf.Tensor], standardized: bool
    ) -> tf.Tensor:
        return self.multiscale(standardized).forward(latents)

    def prepared(self) -> types.SimpleNamespace:
        """Returns an object with `encode` and `decode`, for many calls.

        Terms that depend on the weights alone are computed here once, and not
        at each step of a search. All layers of the coupling nets compute in the
        compute type.

        Returns:
            An object with `encode(images, standardized=False)` and
            `decode(latents, standardized=False)`, which keeps the present
            weights when the flow is trained further.

        Raises:
            ValueError: for a flow that is not initialized.
        """
        self._require_initialized()
        fused = Fused(self.level_layers, self.bins / (self.bins - 1))
        return types.SimpleNamespace(
            encode=lambda images, standardized=False: fused.encode(
                self._ready(images, slack=1.0), standardized
            ),
            decode=lambda latents, standardized=False: fused.decode(
                self._legal(latents), standardized
            ),
        )

    def log_prob(self, images: Tensor) -> tf.Tensor:
        """The log density log p(x) of exactly these images (Eq. 5).

        Args:
            images: Images (B, H, W, C), float, in [0, 1]; no noise is added.

        Returns:
            Log densities (B,), in nats, with respect to the scale of [0, 1].

        Raises:
            ValueError: as for `encode`.
        """
        return self._log_prob(self._ready(images, slack=1.0))

    def bits_per_dim(self, images: Tensor, seed: Seed = 0) -> tf.Tensor:
        """The bits/dim -log2 P(x) / (H W C) of images of grey levels.

        P(x) is the probability of the grey levels. One draw of uniform
        dequantisation noise gives, in expectation, an upper bound.

        Args:
            images: Images (B, H, W, C), float, in [0, 1], on the grid of grey
                levels.
            seed: Random seed of the noise, default 0.

        Returns:
            Bits/dim (B,).

        Raises:
            ValueError: as for `encode`.
        """
        return self._bits_per_dim(
            self._ready(images), seeds.derive(seed, "dequantize")
        )

    def sample(
        self, n: int, temperature: float = 1.0, seed: Seed = 0
    ) -> tf.Tensor:
        """Draws images G(z), with z from the prior, not clipped.

        Args:
            n: Number of images.
            temperature: Factor of the prior's standard deviations, default 1.
            seed: Random seed, default 0.

        Returns:
            Images (n, H, W, C), in [0, 1] where the flow fits its data.

        Raises:
            ValueError: for no images, and for a flow that is not initialized.
        """
        self._require_initialized()
        checks.require(n >= 1, "`n` must be at least 1.", n)
        latents = []
        for number, shape in enumerate(self.latent_shapes):
            draw = tf.random.stateless_normal(
                [n, *shape],
                seeds.derive(seed, "sample", number),
                dtype=self.variable_dtype,
            )
            latents.append(draw * tf.cast(temperature, draw.dtype))
        return self._decode(latents, True)

    def call(self, images: Tensor) -> tf.Tensor:
        """Returns `log_prob(images)`, (B,), in nats.

        Args:
            images: Images (B, H, W, C), float, in [0, 1].
        """
        return self.log_prob(images)

    def with_dtype(self, dtype: str | keras.DTypePolicy) -> Glow:
        """A copy with the same weights and another dtype policy.

        Args:
            dtype: Dtype policy of the copy, e.g. "float32" to evaluate a flow
                that trained with "mixed_bfloat16".

        Returns:
            A flow with weights of its own.

        Raises:
            ValueError: for another dtype than `Glow` takes.
        """
        copy = Glow.from_config({**self.get_config(), "dtype": dtype})
        copy.set_weights(self.get_weights())
        return copy

    @compiled
    def _log_prob(self, images: tf.Tensor) -> tf.Tensor:
        scale = (self.bins - 1) / self.bins
        multiscale = Multiscale(self.level_layers, standardized=True)
        latents, log_det = multiscale.inverse_and_log_det(images * scale - 0.5)
        total = log_det + math.prod(self.image_shape) * math.log(scale)
        for latent in latents:
            squares = tf.square(latent) + math.log(2 * math.pi)
            total -= tf.reduce_sum(squares, axis=[1, 2, 3]) / 2
        return total

    def _legal(self, latents: list[Tensor]) -> list[tf.Tensor]:
        latents = [tf.cast(latent, self.variable_dtype) for latent in latents]
        shapes = [tuple(latent.shape[1:]) for latent in latents]
        checks.require(
            shapes == self.latent_shapes,
            f"`latents` must be a list of (B, h, w, c) with (h, w, c) = "
            f"{self.latent_shapes}, as `encode` returns it.",
            shapes,
        )
        return latents

    def _checked(self, images: Tensor, slack: float = 0.0) -> tf.Tensor:
        # What a decoder returns may lie a little outside of [0, 1].
        images = checks.images(images, shape=self.image_shape, slack=slack)
        return tf.cast(images, self.variable_dtype)

    def _ready(self, images: Tensor, slack: float = 0.0) -> tf.Tensor:
        return checks.after(
            self._require_initialized(), self._checked(images, slack)
        )

    def _require_initialized(self) -> tf.Operation | None:
        return checks.require(
            tf.convert_to_tensor(self.initialized) > 0,
            "The flow is not initialised: call `flow.initialize(images)` "
            "once with a batch of training images, or load trained weights.",
        )

    def __repr__(self) -> str:
        return (
            f"Glow(image_shape={self.image_shape}, levels={self.levels}, "
            f"steps={self.steps}, hidden={self.hidden}, bins={self.bins})"
        )

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        names = "image_shape levels steps hidden bins gradient_clip seed"
        names += " deviations"
        config.update({name: getattr(self, name) for name in names.split()})
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Glow:
        # Flows were unbounded before `deviations` was a setting.
        return super().from_config({"deviations": None, **config})
