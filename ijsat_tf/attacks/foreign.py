"""A bridge to attacks of other libraries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from ijsat_tf import checks, losses
from ijsat_tf.attacks.attack import Attack, AttackResult, as_logits, checked
from ijsat_tf.attacks.autoattack.hard_labels import require_hard
from ijsat_tf.attacks.outcome import succeeds
from ijsat_tf.spaces import L2, Linf
from ijsat_tf.types import LogitsFn, Seed, Tensor, Tensors, value

_ROUNDING = 1e-6
# Only the norms of these balls are used, not the radii.
_BALLS = {"l2": L2(1.0), "linf": Linf(1.0)}

Function = Callable[[np.ndarray, np.ndarray], Any]


def foreign(function: Function, name: str) -> ForeignAttack:
    """Makes an attack of a function from images and labels to images.

    The function may run an attack of Foolbox, of ART, of a library for
    PyTorch, or anything else. The attack that is returned can be called, and
    given to `ijsat_tf.evaluation.evaluate`, as every other attack. Whether an
    image fools the model, and the loss, are computed here with the model of
    the call; the function has to know by itself which model it attacks.

    A function for PyTorch moves the axis of channels there and back:

        def run(images, labels):
            images = torch.from_numpy(images.transpose(0, 3, 1, 2))
            found = attack(images, torch.from_numpy(labels))
            return found.numpy().transpose(0, 2, 3, 1)

    The function gets a whole batch at once, outside of TensorFlow's graphs,
    so errors arrive as they are raised. Only inside a user's own
    `tf.function`, and inside `WorstOf`, does the graph call the function.

    Args:
        function: Function of images (B, H, W, C), NumPy floats in [0, 1], and
            of classes (B,), NumPy int64. The function returns images
            (B, H, W, C), floats in [0, 1].
        name: Name that tells the attack, its settings and its library, such
            as "Foolbox 3.3.4, L2CarliniWagner, 1000 steps". Records know the
            function by this name alone, so functions that differ need names
            that differ.

    Returns:
        An attack. In its results `budget` has the norms "l2" and "linf" of
        the changes, (B,).

    Raises:
        ValueError: for a function that cannot be called, or an empty name;
            when the attack is called, for soft labels, which have no class
            to hand over, and for images that the function may not return.
    """
    return ForeignAttack(function, name)


class Found(NamedTuple):
    """Images that a function found, on their way into the graph.

    Attributes:
        images: Images (B, H, W, C) in [0, 1].
    """

    images: tf.Tensor


@value
class ForeignAttack(Attack):
    """The attack that `foreign` returns, see there.

    Args:
        function: Function from images and labels to images, as for `foreign`.
        name: Name of the attack, as for `foreign`.

    Raises:
        ValueError: as `foreign` does.
    """

    function: Function
    name: str

    def __post_init__(self):
        super().__post_init__()
        checks.require(
            callable(self.function),
            "`function` must be a function from images and labels, NumPy "
            "arrays, to images.",
            repr(self.function),
        )
        checks.require(
            isinstance(self.name, str) and self.name,
            "`name` must be a text that tells this attack from others.",
            repr(self.name),
        )

    def __repr__(self) -> str:
        # Records compare this text, and functions are printed with addresses.
        return f"foreign(..., name={self.name!r})"

    @property
    def by_sample(self) -> bool:
        return False

    def craft(
        self,
        logits_of: LogitsFn,
        images: tf.Tensor,
        labels: tf.Tensor,
        seed: tf.Tensor,
        latents: Tensors | Found | None = None,
    ) -> AttackResult:
        labels = require_hard(labels, repr(self))
        if isinstance(latents, Found):
            found = latents.images
        else:
            classes = tf.argmax(labels, axis=1)
            found = tf.numpy_function(
                self._run, [images, classes], images.dtype
            )
        found = tf.ensure_shape(found, images.shape)
        logits = logits_of(found)
        success = succeeds(logits, labels)
        return AttackResult(
            found,
            success,
            losses.cross_entropy(labels, logits),
            {name: ball.norm(found - images) for name, ball in _BALLS.items()},
            tf.zeros_like(success),
        )

    def _attacked(
        self,
        model: Callable,
        images: Tensor,
        labels: Tensor,
        seed: Seed,
        latents: Tensors | None,
        images_only: bool = False,
    ) -> tuple[Any, tf.Tensor]:
        if tf.executing_eagerly():
            # The function runs here and not in the graph, whose threads would
            # wait for the function, which may need the threads for a graph.
            images, labels = checked(model, images, labels)
            classes = as_logits(model)(images[:1]).shape[-1]
            hard = require_hard(checks.one_hot(labels, classes), repr(self))
            classes = tf.argmax(hard, axis=1)
            latents = Found(self._run(images.numpy(), classes.numpy()))
        return super()._attacked(
            model, images, labels, seed, latents, images_only
        )

    def _run(self, images: np.ndarray, classes: np.ndarray) -> np.ndarray:
        """The images that the function returns, checked."""
        # The function gets copies, since a function may write into its inputs.
        found = self.function(images.copy(), classes.copy())
        try:
            found = np.asarray(found)
        except (TypeError, ValueError, RuntimeError) as error:
            raise ValueError(
                f"The function of {self!r} must return a NumPy array; for a "
                "tensor of PyTorch end with `.detach().cpu().numpy()`. "
                f"Received: {type(found).__name__}"
            ) from error
        self._require(
            found.dtype.kind == "f",
            "images that are floats in [0, 1]; divide pixels of 0..255 by "
            "255.0",
            f"dtype {found.dtype}",
        )
        self._require(
            found.shape == images.shape,
            f"images of the shape {images.shape} that it was given, with "
            "channels last; transpose channels that come first",
            f"shape {found.shape}",
        )
        low, high = found.min(), found.max()
        self._require(
            -_ROUNDING <= low and high <= 1 + _ROUNDING,
            "images in [0, 1] without NaN; let the attack keep these bounds, "
            "or clip",
            f"numbers from {low} to {high}",
        )
        return np.clip(found, 0, 1).astype(images.dtype)

    def _require(self, condition: bool, what: str, received: str) -> None:
        message = f"The function of {self!r} must return {what}."
        checks.require(bool(condition), message, received)
