"""Training batches that depend only on the seed and the epoch.

A resumed run therefore sees the same order and augmentation as a run that was
never interrupted.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ijsat_tf import seeds
from ijsat_tf.checks import require
from ijsat_tf.data.crop_flip import crop_flip, placements
from ijsat_tf.data.source import Source


def steps_per_epoch(source: Source, batch_size: int) -> int:
    """The number of full batches in an epoch; the remainder is dropped.

    Args:
        source: Set of images.
        batch_size: Number of images per batch, over all replicas.

    Raises:
        ValueError: if `batch_size` is below 1 or above the number of images.
    """
    count = len(source.images)
    require(
        1 <= batch_size <= count,
        f"`batch_size` must be from 1 to the set's {count} images; choose a "
        "smaller batch or more images.",
        batch_size,
    )
    return count // batch_size


def batches(
    source: Source,
    batch_size: int,
    seed: int,
    first_epoch: int = 0,
    augment: str | None = None,
    first_step: int = 0,
) -> tf.data.Dataset:
    """Shuffled batches, epoch after epoch without end.

    If latents come with the images, x is {"image": ..., "latent": ...}. The
    latents do not decode to an augmented image. So with `augment` the latents
    are a tuple whose last item is the placements of the crops, (B, 3) int32 as
    `crop_flip` takes them, and `ijsat_tf.generators.Augmented` decodes this
    tuple to the augmented images.

    Args:
        source: Set of images.
        batch_size: Number of images per batch, over all replicas.
        seed: Random seed, an int. Together with the number of the epoch, the
            seed decides the order and the augmentation.
        first_epoch: Number of the epoch to begin with, default 0; a run resumed
            at epoch e passes e, and continues as if never interrupted.
        augment: Kind of augmentation, default None. `"crop_flip"` pads each
            side with 4 black pixels, crops back to the old size at random, and
            mirrors left to right with probability 1/2 (unsuitable for digits,
            since a mirrored digit is not a digit); `"flip"` only mirrors; None
            leaves images unchanged.
        first_step: Number of batches of the first epoch to skip, default 0; a
            run resumed after s steps of an epoch passes s.

    Returns:
        A dataset of pairs of x, images (B, H, W, C), float32 in [0, 1], or the
        dictionary above, and labels (B,), int32. The dataset has no end, so
        `fit` needs `steps_per_epoch`.

    Raises:
        ValueError: for a `batch_size` or `first_step` that does not fit or
            an unknown `augment`.
    """
    steps = steps_per_epoch(source, batch_size)
    require(
        0 <= first_step < steps,
        f"`first_step` must be from 0 to {steps - 1}, because an epoch has "
        f"{steps} steps.",
        first_step,
    )
    require(
        augment in (None, "crop_flip", "flip"),
        "`augment` must be 'crop_flip', 'flip' or None.",
        repr(augment),
    )
    count = len(source.images)
    # Functions of tf.data capture these tensors; as NumPy arrays they would
    # become constants of the graph, which may not exceed 2 GB.
    with tf.device("CPU"):
        levels = tf.constant(source.images)
        labels = tf.constant(source.labels)
        latents = source.latents
        if isinstance(latents, list):
            # A dataset would turn a list into one tensor.
            latents = tuple(latents)
        if latents is not None:
            latents = tf.nest.map_structure(tf.constant, latents)

    def epoch_of_batches(epoch: tf.Tensor) -> tf.data.Dataset:
        def seed_of(purpose):
            return seeds.derive(seed, purpose, epoch)

        places = {
            "order": tf.random.experimental.stateless_shuffle(
                tf.range(count), seed_of("order")
            )
        }
        if augment is not None:
            crop_seed = seed_of("crop") if augment == "crop_flip" else None
            places["placement"] = placements(count, crop_seed, seed_of("flip"))
        return tf.data.Dataset.from_tensor_slices(places).batch(
            batch_size, drop_remainder=True
        )

    def load(places: dict[str, tf.Tensor]) -> tuple[Any, tf.Tensor]:
        order, placement = places["order"], places.get("placement")
        images = tf.gather(levels, order)
        if placement is not None:
            images = crop_flip(images, placement)
        images = tf.cast(images, tf.float32) / (source.bins - 1)
        classes = tf.gather(labels, order)
        if latents is None:
            return images, classes
        latent = tf.nest.map_structure(
            lambda part: tf.gather(part, order), latents
        )
        if placement is not None:
            latent = (*tf.nest.flatten(latent), placement)
        return {"image": images, "latent": latent}, classes

    options = tf.data.Options()
    options.deterministic = True
    # A batch costs little, so the numbers below suffice. TensorFlow's tuning
    # can hold up the end of `fit` for a minute, until its thread wakes.
    options.autotune.enabled = False
    # Every worker takes the rows of its replicas from each global batch.
    options.experimental_distribute.auto_shard_policy = (
        tf.data.experimental.AutoShardPolicy.DATA
    )
    return (
        tf.data.Dataset.counter(first_epoch)
        .flat_map(epoch_of_batches)
        .skip(first_step)  # Before any image is read.
        .map(load, num_parallel_calls=2)
        .prefetch(2)
        .with_options(options)
    )
