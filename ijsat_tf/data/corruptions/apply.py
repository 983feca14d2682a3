"""The fifteen corruptions of CIFAR-10-C, applied to any images."""

from __future__ import annotations

import importlib
import numbers
import zlib
from collections.abc import Callable

import numpy as np

from ijsat_tf.checks import require
from ijsat_tf.data.corruptions.severities import CORRUPTIONS, SEVERITIES
from ijsat_tf.data.source import Source

_SIDES = 8, 63


def corrupt(
    images: np.ndarray, name: str, severity: int, seed: int = 0, first: int = 0
) -> np.ndarray:
    """Corrupts images by one of the corruptions of CIFAR-10-C.

    The constants come from the script that made the published set. Lengths are
    in pixels as in the script, whatever the size of the images; lengths that
    the script ties to the side of 32 (elastic transform, pixelate, fog) are
    tied to the side of the images here. Larger images have constants of their
    own (ImageNet-C). Grey images stay grey, also with frost. The published set
    was drawn from another stream of random numbers, so do not compare an
    accuracy on the published set with an accuracy on images of this function.
    `SUBSTITUTES` names the parts that differ from the original.

    Args:
        images: Images (N, H, W, C), uint8, in 0 to 255, H and W from 8 to 63, C
            1 for grey or 3 for red, green and blue.
        name: Name of the corruption, one of `CORRUPTIONS`.
        severity: Severity, 1 to 5.
        seed: Random seed, an int from 0, default 0. Together with name,
            severity and an image's place in its set, the seed decides that
            image's random numbers.
        first: Place of the first image in its set, default 0. With the right
            place, a part of a set is corrupted as in the whole set.

    Returns:
        Images (N, H, W, C), uint8, truncated to whole levels as in the
        published set.

    Raises:
        ValueError: for an unknown name, severity or seed, and for images of
            another type, shape or size.
        ImportError: without SciPy or Pillow.

    Source: Hendrycks and Dietterich, arXiv:1903.12261;
    github.com/hendrycks/robustness, ImageNet-C/create_c/make_cifar_c.py.
    """
    check_cell(name, severity)
    images = _checked(images)
    for argument, number in {"seed": seed, "first": first}.items():
        require(
            isinstance(number, numbers.Integral) and 0 <= number < 2**31,
            f"`{argument}` must be an integer from 0 to 2^31 - 1.",
            repr(number),
        )
    change, constants = _found(name, severity)
    corrupted = np.empty_like(images)
    for place, levels in enumerate(images):
        random = stream(name, severity, seed, first + place)
        image = change(levels / 255, random, **constants)
        corrupted[place] = 255 * np.clip(image, 0, 1)
    return corrupted


def corrupted(
    source: Source, name: str, severity: int, seed: int = 0
) -> Source:
    """Corrupts a set of images by one of the corruptions of CIFAR-10-C.

    Args:
        source: Set of images, H and W from 8 to 63. Images of fewer than 256
            grey levels are spread over 0 to 255 first.
        name: Name of the corruption, one of `CORRUPTIONS`.
        severity: Severity, 1 to 5.
        seed: Seed of the random numbers, default 0.

    Returns:
        The corrupted set with 256 grey levels, and without latents, which do
        not decode to corrupted images. Its `origin` says that the set is made
        here.

    Raises:
        ValueError, ImportError: as `corrupt` does.
    """
    levels = source.images
    if source.bins != 256:
        levels = np.rint(levels * (255 / (source.bins - 1))).astype(np.uint8)
    return source._replace(
        images=corrupt(levels, name, severity, seed),
        bins=256,
        latents=None,
        origin=f"made here: {name} {severity} seed {seed} of {source.origin}",
    )


def check_cell(name: str, severity: int) -> None:
    """Raises `ValueError` unless there is such a corruption and severity."""
    require(
        name in CORRUPTIONS,
        f"`name` must be one of {', '.join(CORRUPTIONS)}.",
        repr(name),
    )
    require(
        isinstance(severity, numbers.Integral) and 1 <= severity <= 5,
        "`severity` must be an integer from 1 to 5.",
        repr(severity),
    )


def stream(
    name: str, severity: int, seed: int, place: int
) -> np.random.RandomState:
    """The random numbers of one image.

    The numbers come from NumPy's legacy generator, whose streams are frozen.
    """
    words = seed, zlib.crc32(name.encode()), severity, place
    bits = np.random.MT19937(np.random.SeedSequence(words))
    return np.random.RandomState(bits)


def _found(name: str, severity: int) -> tuple[Callable, dict[str, float]]:
    """The function of a corruption, and its constants."""
    (file,) = [file for file, names in SEVERITIES.items() if name in names]
    try:
        module = importlib.import_module(f"ijsat_tf.data.corruptions.{file}")
    except ImportError as error:
        raise ImportError(
            "Corruptions need SciPy and Pillow; install them with `pip "
            "install 'ijsat_tf[corruptions]'`."
        ) from error
    constants = {
        argument: values[severity - 1]
        for argument, values in SEVERITIES[file][name].items()
    }
    return getattr(module, name), constants


def _checked(images: np.ndarray) -> np.ndarray:
    images = np.asarray(images)
    require(
        images.dtype == np.uint8,
        "`images` must be uint8, levels from 0 to 255; convert images in "
        "[0, 1] by np.round(255 * images).astype('uint8').",
        f"dtype {images.dtype}",
    )
    least, most = _SIDES
    require(
        images.ndim == 4
        and images.shape[-1] in (1, 3)
        and all(least <= side <= most for side in images.shape[1:3]),
        "`images` must have shape (N, H, W, C), C 1 or 3, and sides from "
        f"{least} to {most}, because the constants are made for 32x32 pixels "
        "(larger images need those of ImageNet-C); resize a set by "
        "`load(..., image_size=32)`.",
        f"shape {images.shape}",
    )
    return images
