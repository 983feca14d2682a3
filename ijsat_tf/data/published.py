"""CIFAR-10-C and CIFAR-100-C as their authors publish them."""

from __future__ import annotations

import os
import pathlib

import numpy as np

from ijsat_tf.checks import require
from ijsat_tf.data.corruptions.apply import check_cell
from ijsat_tf.data.source import Source
from ijsat_tf.data.sources import load

_IMAGES = 10_000
_SEVERITIES = 5
# Names in TensorFlow Datasets, where they differ.
_TFDS = {"glass_blur": "frosted_glass_blur", "elastic_transform": "elastic"}


def load_corrupted(
    folder: str | os.PathLike | None,
    name: str,
    severity: int,
    classes: int = 10,
    images: int = _IMAGES,
    data_dir: str | None = None,
) -> Source:
    """Reads one corruption at one severity of the published images.

    `NAME.npy` holds the 10,000 test images at severity 1, then those at
    severity 2 and so on; `labels.npy` holds the same labels five times.
    The folder is in CIFAR-10-C.tar of https://zenodo.org/records/2535967.
    TensorFlow Datasets has the images of CIFAR-10-C too, in another order, as
    `cifar10_corrupted`.

    Args:
        folder: Unpacked folder of the published arrays; None to read TensorFlow
            Datasets.
        name: Name of the corruption, one of `CORRUPTIONS`.
        severity: Severity, 1 to 5.
        classes: Number of classes, default 10; 100 for CIFAR-100-C, which has
            the same form.
        images: Number of images to read, the first ones, default all 10,000.
        data_dir: Folder of TensorFlow Datasets, as `load` takes it; default
            None.

    Returns:
        The images, as a `Source` whose `origin` says that they are published.

    Raises:
        ValueError: for an unknown name or severity, and for a file that is
            missing, truncated, or of another shape, type or content.
    """
    check_cell(name, severity)
    require(
        1 <= images <= _IMAGES,
        "`images` must be from 1 to 10,000, the size of the test set.",
        images,
    )
    if folder is None:
        require(
            classes == 10,
            "TensorFlow Datasets has only CIFAR-10 corrupted; pass the "
            "`folder` of CIFAR-100-C.",
            f"{classes} classes",
        )
        set_name = f"cifar10_corrupted/{_TFDS.get(name, name)}_{severity}"
        return load(set_name, f"test[:{images}]", data_dir)
    count, folder = _SEVERITIES * _IMAGES, pathlib.Path(folder)
    levels = _read(folder / f"{name}.npy", (count, 32, 32, 3), np.uint8)
    labels = _read(folder / "labels.npy", (count,), np.integer)
    labels = labels.reshape(_SEVERITIES, _IMAGES)
    require(
        (labels == labels[0]).all() and 0 <= labels[0].min(),
        f"{folder / 'labels.npy'} must hold the same labels for each of the "
        "five severities; download it again.",
    )
    require(
        labels[0].max() < classes,
        f"{folder / 'labels.npy'} must hold classes from 0 to {classes - 1}; "
        "pass `classes=100` for CIFAR-100-C.",
        labels[0].max(),
    )
    first = (severity - 1) * _IMAGES
    return Source(
        np.array(levels[first : first + images]),
        labels[0, :images].astype(np.int32),
        classes,
        origin=f"published arrays: {name} {severity}",
    )


def _read(
    path: pathlib.Path, shape: tuple[int, ...], kind: type[np.generic]
) -> np.ndarray:
    require(
        path.is_file(),
        f"`folder` must be the unpacked CIFAR-10-C, and {path} is missing; "
        "correct the path, or unpack the archive again.",
    )
    try:
        # Memory-mapped, since only a fifth of the file of 150 MB is used.
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise ValueError(
            f"{path} is truncated, or is not a NumPy array of numbers; "
            "download the file again."
        ) from error
    found = getattr(array, "shape", None), getattr(array, "dtype", None)
    require(
        found[0] == shape and np.issubdtype(found[1], kind),
        f"{path} must be an array of {kind.__name__}, shape {shape}; "
        "download it again.",
        f"{found[1]}, shape {found[0]}",
    )
    return array
