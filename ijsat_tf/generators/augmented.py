"""A generator of images that were cropped and mirrored."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ijsat_tf import checks
from ijsat_tf.data.crop_flip import crop_flip
from ijsat_tf.types import Tensor, Value, value


@value
class Augmented(Value):
    """crop_flip(G(z)): what a latent attack needs where images are augmented.

    A cropped image is no longer what its latents decode to. The official
    DMAT leaves augmentation out; the paper augments. So `ijsat_tf.data.batches`
    gives the placement of each crop as the last of the latents, which no
    attack moves and no mixup interpolates, and this generator crops and
    mirrors what it decoded alike. A mixture of two samples has the placement
    of the first.

    Args:
        generator: G, with `decode(latents)`; for training alone: evaluation
            augments nothing, and takes G itself.

    Raises:
        ValueError: for a generator without `decode`.
    """

    generator: Any

    def __post_init__(self):
        super().__post_init__()
        checks.require(
            hasattr(self.generator, "decode"),
            "`generator` must have `decode(latents)`.",
            repr(self.generator),
        )

    @property
    def latent_shapes(self) -> list[tuple[int, ...]] | None:
        """Shapes of G's latents and of a placement, without the batch axis;
        None where G does not tell its own."""
        shapes = getattr(self.generator, "latent_shapes", None)
        if shapes is None:
            own = getattr(self.generator, "latent_shape", None)
            shapes = None if own is None else [own]
        return None if shapes is None else [*map(tuple, shapes), (3,)]

    def decode(self, latents: list[Tensor]) -> tf.Tensor:
        """Augmented images.

        Args:
            latents: a list, those of G and last the placements (B, 3), ints
                as `ijsat_tf.data.batches` gives them.

        Returns:
            Images (B, H, W, C).

        Raises:
            ValueError: for latents without placements.
        """
        checks.require(
            isinstance(latents, (list, tuple))
            and len(latents) > 1
            and latents[-1].dtype in (tf.int32, tf.int64),
            "`latents` must be a list whose last item is the placements, as "
            "`ijsat_tf.data.batches(..., augment='crop_flip')` makes it; "
            "without augmentation take the generator itself.",
        )
        *own, placement = latents
        several = hasattr(self.generator, "latent_shapes") or len(own) > 1
        images = self.generator.decode(own if several else own[0])
        return crop_flip(tf.convert_to_tensor(images), placement)
