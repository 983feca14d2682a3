"""Training batches whose order and augmentation are functions of the seed and
the epoch alone, so that a resumed run sees what an uninterrupted one sees."""

from __future__ import annotations

import tensorflow as tf

from ijsat_tf import seeds
from ijsat_tf.checks import require
from ijsat_tf.data.source import Source

_PAD = 4


def steps_per_epoch(source: Source, batch_size: int) -> int:
    """The full batches in one pass over the images; the remainder is dropped.

    Args:
        source: the images.
        batch_size: images a batch, over all replicas.

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
) -> tf.data.Dataset:
    """Shuffled batches, epoch after epoch without end.

    Args:
        source: the images.
        batch_size: images a batch, over all replicas.
        seed: an int; with the number of the epoch it decides the order and
            the augmentation.
        first_epoch: the number of the epoch to begin with; a run resumed at
            epoch e passes e, and continues as if never interrupted.
        augment: `"crop_flip"` pads each side with 4 black pixels, crops back
            to the old size at random, and mirrors left to right with
            probability 1/2 (not for digits, whose mirror images are no
            digits); None leaves images as they are.

    Returns:
        A dataset of images (B, H, W, C), float32 in [0, 1], and labels (B,),
        int32. `fit` needs `steps_per_epoch` with it.

    Raises:
        ValueError: for a `batch_size` that does not fit or an unknown
            `augment`.
    """
    steps_per_epoch(source, batch_size)
    require(
        augment in (None, "crop_flip"),
        "`augment` must be 'crop_flip' or None.",
        repr(augment),
    )
    count = len(source.images)
    # Functions of tf.data capture these tensors; as NumPy arrays they would
    # become constants of the graph, which may not exceed 2 GB.
    with tf.device("CPU"):
        levels = tf.constant(source.images)
        labels = tf.constant(source.labels)

    def epoch_of_batches(epoch: tf.Tensor) -> tf.data.Dataset:
        def seed_of(purpose):
            return seeds.derive(seed, purpose, epoch)

        places = {
            "order": tf.random.experimental.stateless_shuffle(
                tf.range(count), seed_of("order")
            )
        }
        if augment is not None:
            places["corners"] = tf.random.stateless_uniform(
                [count, 2], seed_of("crop"), 0, 2 * _PAD + 1, tf.int32
            )
            places["mirrored"] = (
                tf.random.stateless_uniform([count], seed_of("flip")) < 0.5
            )
        return tf.data.Dataset.from_tensor_slices(places).batch(
            batch_size, drop_remainder=True
        )

    def load(places: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        images = tf.gather(levels, places["order"])
        if augment is not None:
            images = _crop_flip(images, places["corners"], places["mirrored"])
        images = tf.cast(images, tf.float32) / (source.bins - 1)
        return images, tf.gather(labels, places["order"])

    options = tf.data.Options()
    options.deterministic = True
    # Of each global batch every worker takes the rows of its replicas.
    options.experimental_distribute.auto_shard_policy = (
        tf.data.experimental.AutoShardPolicy.DATA
    )
    return (
        tf.data.Dataset.counter(first_epoch)
        .flat_map(epoch_of_batches)
        .map(load, num_parallel_calls=tf.data.AUTOTUNE)
        .prefetch(tf.data.AUTOTUNE)
        .with_options(options)
    )


def _crop_flip(
    images: tf.Tensor, corners: tf.Tensor, mirrored: tf.Tensor
) -> tf.Tensor:
    _, height, width, _ = images.shape
    padded = tf.pad(images, [[0, 0], [_PAD, _PAD], [_PAD, _PAD], [0, 0]])
    across = tf.range(width)
    rows = corners[:, :1] + tf.range(height)
    columns = corners[:, 1:] + tf.where(
        mirrored[:, tf.newaxis], across[::-1], across
    )
    cropped = tf.gather(padded, rows, axis=1, batch_dims=1)
    return tf.gather(cropped, columns, axis=2, batch_dims=1)
