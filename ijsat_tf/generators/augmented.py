"""A generator of images that were cropped and mirrored."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ijsat_tf import checks
from ijsat_tf.data.crop_flip import crop_flip
from ijsat_tf.types import Tensor, Value, value


@value
class Augmented(Value):
    """The generator crop_flip(G(z)), for latent attacks on augmented images.

    The latents of an image do not decode to a crop of the image. The official
    DMAT leaves augmentation out, while the paper augments. So
    `ijsat_tf.data.batches` returns the placement of each crop as the last of
    the latents, which no attack moves and no mixup interpolates. This
    generator crops and mirrors the decoded images by the same placements. A
    mixture of two samples has the placement of the first sample.

    Args:
        generator: Generator G, with `decode(latents)`. Use `Augmented` only in
            training; evaluation does not augment images, and takes G itself.

    Raises:
        ValueError: for a generator without `decode`.
    """

    generator: Any

    def __post_init__(self):
        super().__post_init__()
        checks.require(
            hasattr(self.generator, "decode"),
            "`generator` must have `decode(latents)`, as the GANs of "
            "ijsat_tf.generators have.",
            repr(self.generator),
        )

    @property
    def latent_shapes(self) -> list[tuple[int, ...]] | None:
        """Shapes of G's latents and of a placement, without the batch axis.

        None for a generator G without `latent_shape` and `latent_shapes`.
        """
        shapes = getattr(self.generator, "latent_shapes", None)
        if shapes is None:
            own = getattr(self.generator, "latent_shape", None)
            shapes = None if own is None else [own]
        return None if shapes is None else [*map(tuple, shapes), (3,)]

    def decode(self, latents: list[Tensor]) -> tf.Tensor:
        """Decodes latents, then crops and mirrors the images.

        Args:
            latents: List of the latents of G followed by the placements (B, 3),
                ints, as `ijsat_tf.data.batches` gives them.

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
            "`ijsat_tf.data.batches(..., augment='crop_flip')` returns them; "
            "without augmentation use the generator itself.",
        )
        *own, placement = latents
        several = hasattr(self.generator, "latent_shapes") or len(own) > 1
        images = self.generator.decode(own if several else own[0])
        return crop_flip(tf.convert_to_tensor(images), placement)
