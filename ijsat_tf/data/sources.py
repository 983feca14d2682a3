"""Sets of labelled images by their names."""

from __future__ import annotations

import numpy as np

from ijsat_tf.checks import require
from ijsat_tf.data import tfds_sets
from ijsat_tf.data.resize import resize
from ijsat_tf.data.source import Source

_DIGITS_TRAIN = 1437


def load(
    name: str,
    split: str,
    data_dir: str | None = None,
    image_size: int | tuple[int, int] | None = None,
) -> Source:
    """Loads a set of labelled images by its name.

    `digits` are the 1,797 handwritten digits inside scikit-learn, 8x8x1, with
    17 grey levels. The digits have no split of their own: the permutation of
    `numpy.random.RandomState(0)` puts 1,437 into `train` and the remaining
    360 into `test`. Any other name is a set of TensorFlow Datasets: `cifar10`,
    `cifar100`, `mnist`, `cifar10_corrupted/fog_3` and so on, or a folder of
    `data_dir` in the same format, such as `ijsat_tf.data.store` writes.

    A feature `latent` of such a set, a float tensor or a dictionary of float
    tensors, becomes the source's `latents`.

    Args:
        name: Name of the set: `digits`, a name of TensorFlow Datasets, or the
            name of a folder.
        split: Name of the split, `train` or `test`; for TensorFlow Datasets
            also another split of the set, or a slice such as `train[:90%]`.
        data_dir: Folder of data sets to read from, without downloading; None,
            the default, stands for the folder that TensorFlow Datasets
            downloads to.
        image_size: Size in pixels, one number for squares or (H, W), to which
            images are resized (bilinear with antialiasing, aspect ratio not
            kept); None, the default, keeps sizes. Latents are left out where
            images are resized, as latents decode to the set's own size.

    Returns:
        The set, in the order of its files.

    Raises:
        ValueError: for an unknown name or split, for a set that is not in
            `data_dir`, has damaged records or is not an image classification,
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
    return tfds_sets.read(name, split, data_dir, image_size)


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
        images = resize(images, image_size).numpy()
    # The legacy generator, because NumPy froze its stream for all versions.
    order = np.random.RandomState(0).permutation(len(images))
    chosen = (
        order[:_DIGITS_TRAIN] if split == "train" else order[_DIGITS_TRAIN:]
    )
    labels = digits.target.astype(np.int32)
    return Source(
        images[chosen],
        labels[chosen],
        classes=10,
        bins=17,
        class_names=tuple(map(str, digits.target_names)),
        origin="digits",
    )
