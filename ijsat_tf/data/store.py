"""Sets written in the format of TensorFlow Datasets."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pathlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from ijsat_tf.checks import require
from ijsat_tf.data.source import Source

_VERSION = "1.0.0"
_PNG_CHANNELS = (1, 3, 4)


def store(
    name: str,
    sources: Mapping[str, Source],
    data_dir: str | os.PathLike,
    description: str = "",
    metadata: Mapping[str, Any] | None = None,
) -> pathlib.Path:
    """Writes sources as the splits of one set of TensorFlow Datasets.

    The features are `image` (PNG, lossless), `label` and, where sources have
    latents, `latent`: a float32 tensor, or for a list a dictionary of tensors.
    `ijsat_tf.data.load(name, split, data_dir)`, `tfds.load(name,
    data_dir=data_dir)` and `tfds.builder_from_directory` read the set. Images
    of fewer than 256 grey levels are stretched to 0 to 255, and are read as
    images of 256 levels. An interruption leaves nothing that could be taken for
    the set.

    Args:
        name: Name of the set and of its folder: small letters, digits, `_`.
        sources: Sources of the splits, {split: source}, alike in shapes and
            classes.
        data_dir: Folder of data sets to write into.
        description: Description of the images, for readers; default "".
        metadata: Further facts about the images, of types that JSON can hold,
            which become `info.metadata` of the set. Default None, for no
            metadata.

    Returns:
        The folder of the set.

    Raises:
        ValueError: for a name that is taken or not legal, for sources that
            are not alike, and for images that PNG cannot hold.
    """
    require_storable(name, sources, data_dir)
    import tensorflow_datasets as tfds

    class Builder(tfds.dataset_builders.AdhocBuilder, skip_registration=True):
        def _info(self) -> tfds.core.DatasetInfo:
            return tfds.core.DatasetInfo(
                builder=self,
                description=description or f"Images and labels of {name}.",
                features=_features(next(iter(sources.values()))),
                metadata=tfds.core.MetadataDict(metadata or {}),
                disable_shuffling=True,
            )

    builder = Builder(
        name=name,
        version=_VERSION,
        features=None,
        split_datasets={
            split: _examples(source) for split, source in sources.items()
        },
        data_dir=os.fspath(data_dir),
    )
    # The builder writes to a temporary folder, which it renames at the end.
    with contextlib.redirect_stdout(io.StringIO()):
        # Nothing is downloaded, whatever TensorFlow Datasets says.
        builder.download_and_prepare()
    return pathlib.Path(data_dir) / name


def metadata_of(name: str, data_dir: str | os.PathLike) -> dict[str, Any]:
    """The metadata of a set that `store` wrote; empty if there is no set.

    Args:
        name: Name of the set.
        data_dir: Folder of data sets.
    """
    path = pathlib.Path(data_dir) / name / _VERSION / "metadata.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def require_storable(
    name: str, sources: Mapping[str, Source], data_dir: str | os.PathLike
) -> None:
    """Raises `ValueError` unless `store` could write these sources.

    Args:
        name: Name of the set.
        sources: Sources of the splits, {split: source}.
        data_dir: Folder of data sets to write into.
    """
    import tensorflow_datasets as tfds

    require(
        re.fullmatch(r"[a-z][a-z0-9_]*", name),
        "`name` must consist of small letters, digits and _, such as "
        "'om_cifar10'.",
        repr(name),
    )
    require(
        name != "digits"
        and name not in tfds.list_builders(with_community_datasets=False),
        "`name` must not be the name of a set that `load` knows already; "
        "choose another name.",
        repr(name),
    )
    folder = pathlib.Path(data_dir) / name
    taken = folder.exists() and not (
        folder.is_dir()
        # TensorFlow Datasets leaves such folders when it is interrupted.
        and all(
            path.name.startswith("incomplete.") for path in folder.iterdir()
        )
    )
    require(
        not taken,
        f"The folder {folder} holds something already; choose another `name` "
        "or `data_dir`, or delete the folder.",
    )
    kinds = {split: _kind(source) for split, source in sources.items()}
    require(
        len(set(kinds.values())) == 1,
        "`sources` must be at least one set, and all sets must have the same "
        "number of classes and the same shapes of images and latents.",
        kinds,
    )
    channels = next(iter(sources.values())).images.shape[-1]
    require(
        channels in _PNG_CHANNELS,
        f"The number of channels must be one of {_PNG_CHANNELS}, because the "
        "images are stored as PNG; convert the images.",
        channels,
    )


def _kind(source: Source) -> str:
    latents = tf.nest.map_structure(_row_shape, _named(source.latents))
    return (
        f"{source.classes} classes, images {_row_shape(source.images)}, "
        f"latents {latents}"
    )


def _row_shape(rows: np.ndarray | None) -> tuple[int, ...] | None:
    return None if rows is None else tuple(rows.shape[1:])


def _named(latents: Any) -> Any:
    """A list as a dictionary whose sorted names keep the list's order."""
    if not isinstance(latents, (list, tuple)):
        return latents
    width = len(str(len(latents)))
    return {
        f"{place:0{width}}": part for place, part in enumerate(latents, start=1)
    }


def _features(source: Source) -> dict[str, Any]:
    import tensorflow_datasets as tfds

    names = source.class_names or map(str, range(source.classes))
    features = {
        "image": tfds.features.Image(
            shape=source.images.shape[1:], encoding_format="png"
        ),
        "label": tfds.features.ClassLabel(names=list(names)),
    }
    if source.latents is not None:
        features["latent"] = tf.nest.map_structure(
            lambda part: tfds.features.Tensor(
                shape=part.shape[1:], dtype=np.float32
            ),
            _named(source.latents),
        )
    return tfds.features.FeaturesDict(features)


def _examples(source: Source) -> Iterator[tuple[int, dict[str, Any]]]:
    rows = {"image": _stretched(source), "label": source.labels}
    if source.latents is not None:
        rows["latent"] = _named(source.latents)
    for place in range(len(source.labels)):
        yield (
            place,
            tf.nest.map_structure(lambda part, place=place: part[place], rows),
        )


def _stretched(source: Source) -> np.ndarray:
    """The images as 256 grey levels, (N, H, W, C) uint8."""
    if source.bins == 256:
        return source.images
    return np.rint(255 * source.scaled()).astype(np.uint8)
