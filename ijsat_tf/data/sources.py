"""Labelled images, whole sets of them in memory.

Images stay what they are on disk, integer grey levels; nothing here shuffles
or augments.
"""

from __future__ import annotations

import difflib
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from ijsat_tf.checks import require

_DIGITS_TRAIN = 1437


class Source(NamedTuple):
    """A set of labelled images.

    Attributes:
        images: (N, H, W, C) uint8, grey levels 0 to bins - 1.
        labels: (N,) int32, classes 0 to classes - 1.
        classes: the number of classes.
        bins: the number of grey levels.
    """

    images: np.ndarray
    labels: np.ndarray
    classes: int
    bins: int = 256

    def scaled(self) -> np.ndarray:
        """The images in [0, 1], levels / (bins - 1), (N, H, W, C) float32."""
        return self.images.astype(np.float32) / np.float32(self.bins - 1)

    def take(self, count: int) -> Source:
        """The first images, in the set's own order.

        Args:
            count: how many, 1 to N.

        Raises:
            ValueError: if there are fewer.
        """
        require(
            0 < count <= len(self.images),
            f"`count` must be from 1 to the set's {len(self.images)} images; "
            "take fewer, or load another split.",
            count,
        )
        return self._replace(
            images=self.images[:count], labels=self.labels[:count]
        )

    def hold_out(self, count: int) -> tuple[Source, Source]:
        """All images but the last ones, and the last ones.

        Args:
            count: how many to hold out, 1 to N - 1.

        Raises:
            ValueError: if there are fewer.
        """
        rest = len(self.images) - count
        require(
            0 < count < len(self.images),
            f"`count` must be from 1 to {len(self.images) - 1}: some of the "
            f"set's {len(self.images)} images must be left.",
            count,
        )
        last = self._replace(
            images=self.images[rest:], labels=self.labels[rest:]
        )
        return self.take(rest), last


def load(
    name: str,
    split: str,
    data_dir: str | None = None,
    image_size: int | tuple[int, int] | None = None,
) -> Source:
    """Loads a set of labelled images by its name.

    `digits` are the 1,797 handwritten digits inside scikit-learn, 8x8x1, with
    17 grey levels. They come without a split of their own: the permutation of
    `numpy.random.RandomState(0)` puts 1,437 into `train` and the remaining
    360 into `test`. Every other name is TensorFlow Datasets': `cifar10`,
    `cifar100`, `mnist`, `cifar10_corrupted/fog_3` and so on.

    Args:
        name: `digits`, or a name of TensorFlow Datasets.
        split: `train` or `test`; for TensorFlow Datasets also another split
            of the set or a slice of one, `train[:90%]`.
        data_dir: a folder of TensorFlow Datasets to read from, without
            downloading; by default their own folder, with downloading.
        image_size: pixels, one number for squares or (H, W), to which images
            are resized (bilinear with antialiasing, aspect ratio not kept);
            by default they keep their size.

    Returns:
        The set, in the order of its files.

    Raises:
        ValueError: for an unknown name or split, for a set that is not in
            `data_dir`, has damaged records or is no image classification,
            and for images of different sizes without `image_size`.
        ImportError: for digits without scikit-learn.
    """
    if isinstance(image_size, int):
        image_size = (image_size, image_size)
    require(
        image_size is None
        or (len(image_size) == 2 and all(size > 0 for size in image_size)),
        "`image_size` must be a positive number of pixels or a pair (H, W).",
        image_size,
    )
    if name == "digits":
        return _digits(split, image_size)
    return _tensorflow_datasets(name, split, data_dir, image_size)


def _digits(split: str, image_size: tuple[int, int] | None) -> Source:
    require(
        split in ("train", "test"),
        "`split` of the digits must be 'train' or 'test'; `take(n)` gives "
        "fewer images.",
        repr(split),
    )
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ImportError(
            "The digits come with scikit-learn; install it with `pip install "
            "'ijsat_tf[demo]'`."
        ) from error
    digits = load_digits()
    images = digits.images.astype(np.uint8)[..., np.newaxis]
    if image_size is not None:
        images = _resize(images, image_size).numpy()
    # The legacy generator, because NumPy froze its stream for all versions.
    order = np.random.RandomState(0).permutation(len(images))
    chosen = (
        order[:_DIGITS_TRAIN] if split == "train" else order[_DIGITS_TRAIN:]
    )
    labels = digits.target.astype(np.int32)
    return Source(images[chosen], labels[chosen], classes=10, bins=17)


def _tensorflow_datasets(
    name: str,
    split: str,
    data_dir: str | None,
    image_size: tuple[int, int] | None,
) -> Source:
    import tensorflow_datasets as tfds

    try:
        builder = tfds.builder(name, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError:
        known = ["digits", *tfds.list_builders(with_community_datasets=False)]
        near = difflib.get_close_matches(name, known)
        near = near or ["digits", "mnist", "cifar10", "cifar100"]
        raise ValueError(
            f"`name` must be 'digits' or a data set of TensorFlow Datasets, "
            f"such as {', '.join(map(repr, near))}. Received: {name!r}"
        ) from None

    # Before any download: a wrong kind of set can be gigabytes.
    shape = _image_shape(builder.info.features, name, image_size)
    build = f"`tfds build {name}`"
    if data_dir is None:
        builder.download_and_prepare()
    else:
        build = f"`tfds build {name} --data_dir={data_dir}`"
        require(
            builder.is_prepared(),
            f"`data_dir` must hold the data set {name!r}, but there is none "
            f"at {builder.data_dir}; build it with {build}, or leave out "
            "`data_dir` to download it.",
        )
    try:
        return _read(builder, split, shape, image_size)
    except tf.errors.OpError as error:
        raise ValueError(
            f"The records of {name!r} in {builder.data_dir} are damaged or "
            f"incomplete; delete that folder and build it with {build}."
        ) from error


def _image_shape(
    features: Any, name: str, image_size: tuple[int, int] | None
) -> tuple[int, int, int]:
    import tensorflow_datasets as tfds

    named = isinstance(features, tfds.features.FeaturesDict)
    features = dict(features) if named else {}
    image, label = features.get("image"), features.get("label")
    require(
        isinstance(image, tfds.features.Image)
        and image.np_dtype == np.uint8
        and isinstance(label, tfds.features.ClassLabel),
        f"The data set {name!r} is no image classification: it needs the "
        "features 'image' (8 bits) and 'label' (classes); choose another.",
        f"features {', '.join(features) or None}",
    )
    *own_size, channels = image.shape
    require(
        image_size is not None or None not in own_size,
        f"The images of {name!r} have different sizes; pass `image_size` to "
        "resize them.",
    )
    return (*(image_size or own_size), channels)


def _read(
    builder: Any,
    split: str,
    shape: tuple[int, int, int],
    image_size: tuple[int, int] | None,
) -> Source:
    import tensorflow_datasets as tfds

    def select(example):
        image = example["image"]
        if image_size is not None:
            image = _resize(image, image_size)
        return image, example["label"]

    # TFDS would keep a second copy of a small set in memory.
    once = tfds.ReadConfig(try_autocache=False)
    dataset = builder.as_dataset(split=split, read_config=once)
    dataset = dataset.map(select, num_parallel_calls=tf.data.AUTOTUNE)

    count = builder.info.splits[split].num_examples
    images = np.empty((count, *shape), np.uint8)
    labels = np.empty(count, np.int32)
    done = 0
    for part in dataset.batch(64).as_numpy_iterator():
        end = done + len(part[0])
        images[done:end], labels[done:end] = part
        done = end
    require(
        (labels >= 0).all(),
        f"`split` {split!r} has no labels; choose another of "
        f"{', '.join(builder.info.splits)}.",
    )
    return Source(images, labels, builder.info.features["label"].num_classes)


def _resize(images: Any, image_size: tuple[int, int]) -> tf.Tensor:
    resized = tf.image.resize(images, image_size, antialias=True)
    return tf.cast(tf.round(resized), tf.uint8)
