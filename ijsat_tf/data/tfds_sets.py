"""Sets in the format of TensorFlow Datasets."""

from __future__ import annotations

import difflib
import pathlib
import re
from typing import Any

import numpy as np
import tensorflow as tf

from ijsat_tf.checks import require
from ijsat_tf.data.resize import resize
from ijsat_tf.data.source import Source

# NAMESPACE:NAME is left out, since its code would be downloaded and run.
_NAME = r"\w+(/\w[\w.+=@-]*)?(:[\d.*]+)?"


def read(
    name: str,
    split: str,
    data_dir: str | None,
    image_size: tuple[int, int] | None,
) -> Source:
    """Reads a set of TensorFlow Datasets.

    Arguments and errors are those of `ijsat_tf.data.load`.
    """
    import tensorflow_datasets as tfds

    require(
        re.fullmatch(_NAME, name),
        "`name` must be a data set of TensorFlow Datasets: NAME, "
        "NAME/CONFIG or NAME:VERSION.",
        repr(name),
    )
    try:
        builder = tfds.builder(name, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError:
        folders = pathlib.Path(data_dir).glob("*/") if data_dir else ()
        stored = sorted(each.name for each in folders)
        listed = tfds.list_builders(with_community_datasets=False)
        near = difflib.get_close_matches(name, ["digits", *stored, *listed])
        near = near or ["digits", "mnist", "cifar10", "cifar100"]
        raise ValueError(
            "`name` must be a data set of TensorFlow Datasets, or a set that "
            "`ijsat_tf.data.store` wrote into `data_dir`; in the commands, "
            "these are --dataset and --data_dir. Did you mean "
            f"{', '.join(map(repr, near))}? Received: {name!r} in "
            f"{str(data_dir)!r}"
        ) from None
    except ValueError as error:
        # The first line only: TFDS explains at length what names are.
        reason = str(error).strip().split("\n")[0]
        raise ValueError(
            f"`name` must be the name of a data set: {reason} "
            f"Received: {name!r}"
        ) from error

    # Checked before any download: a set of the wrong kind can be gigabytes.
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
        f"The data set {name!r} must be an image classification, with the "
        "features 'image' (8 bits) and 'label' (classes); choose another "
        "data set.",
        f"features {', '.join(sorted(features)) or None}",
    )
    *own_size, channels = image.shape
    require(
        image_size is not None or None not in own_size,
        f"The images of {name!r} have different sizes; pass `image_size` to "
        "resize them.",
    )
    return (*(image_size or own_size), channels)


def _latents(features: Any) -> Any:
    """The float feature `latent`, a list of its parts, or an empty list."""
    import tensorflow_datasets as tfds

    latent = dict(features).get("latent")
    if isinstance(latent, tfds.features.FeaturesDict):
        latent = [latent[part] for part in sorted(latent)]
    known = all(
        isinstance(part, tfds.features.Tensor)
        and np.issubdtype(part.np_dtype, np.floating)
        and None not in part.shape
        for part in tf.nest.flatten(latent)
    )
    return latent if known else []


def _read(
    builder: Any,
    split: str,
    shape: tuple[int, int, int],
    image_size: tuple[int, int] | None,
) -> Source:
    import tensorflow_datasets as tfds

    features = builder.info.features
    resized = image_size not in (None, features["image"].shape[:2])
    parts = [] if resized else _latents(features)

    def select(example):
        image = example["image"]
        if image_size is not None:
            image = resize(image, image_size)
        latents = tf.nest.flatten(example["latent"]) if parts else []
        return image, example["label"], *latents

    try:
        count = builder.info.splits[split].num_examples
    except (KeyError, ValueError, AttributeError) as error:
        raise ValueError(
            f"`split` must be one of {', '.join(builder.info.splits)}, or a "
            f"slice such as train[:90%]. Received: {split!r}"
        ) from error
    # TFDS would keep a second copy of a small set in memory.
    once = tfds.ReadConfig(try_autocache=False)
    dataset = builder.as_dataset(split=split, read_config=once)
    dataset = dataset.map(select, num_parallel_calls=tf.data.AUTOTUNE)

    images = np.empty((count, *shape), np.uint8)
    labels = np.empty(count, np.int32)
    latents = tf.nest.map_structure(
        lambda part: np.empty((count, *part.shape), np.float32), parts
    )
    done = 0
    for batch in dataset.batch(64).as_numpy_iterator():
        end = done + len(batch[0])
        everything = (images, labels, *tf.nest.flatten(latents))
        for rows, read in zip(everything, batch):
            rows[done:end] = read
        done = end
    require(
        (labels >= 0).all(),
        f"`split` must have labels, and {split!r} has none; choose another "
        f"split of {', '.join(builder.info.splits)}.",
    )
    return Source(
        images,
        labels,
        features["label"].num_classes,
        latents=latents if parts else None,
        class_names=tuple(features["label"].names),
        origin=f"TensorFlow Datasets: {builder.info.full_name}",
    )
