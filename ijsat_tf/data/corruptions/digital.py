"""Digital corruptions: contrast, elastic transform, pixelate and JPEG.

Images are (H, W, C), float64 in [0, 1], as in noise.py.
"""

import io

import numpy as np
from PIL import Image
from scipy import ndimage


def contrast(
    image: np.ndarray, random: np.random.RandomState, kept: float
) -> np.ndarray:
    """Returns mean + kept (x - mean), with the mean of each channel."""
    mean = image.mean(axis=(0, 1))
    return mean + kept * (image - mean)


def elastic_transform(
    image: np.ndarray,
    random: np.random.RandomState,
    part_moved: float,
    part_smoothed: float,
    part_affine: float,
) -> np.ndarray:
    """Applies a random affine map, then smooth random displacements.

    Between pixels images are interpolated linearly, as in OpenCV 5. Earlier
    versions, and so the published set, round the affine map's places to 1/32
    of a pixel, which changes values by a few levels of 255.

    Args:
        image: Image (H, W, C) in [0, 1].
        random: Random numbers of the affine map and of the displacements.
        part_moved: Factor of the displacements, as a part of the side.
        part_smoothed: Standard deviation of the Gaussian over displacements
            drawn from [-1, 1], as a part of the side.
        part_affine: Largest distance that each of three points moves in each
            direction, as a part of the side.
    """
    height, width, _ = image.shape
    side = min(height, width)
    # (x, y) of three corners of a square around the middle.
    corners = np.array([[1, 1], [1, -1], [-1, -1]]) * (side // 3)
    before = corners + np.array([width // 2, height // 2])
    most = part_affine * side
    after = before + random.uniform(-most, most, before.shape)
    # The product [x y 1] inverse leads from points after the map to points
    # before the map.
    inverse = np.linalg.solve(np.column_stack([after, np.ones(3)]), before)
    row, column = np.mgrid[:height, :width]
    places = np.stack([column, row, np.ones_like(row)], axis=-1) @ inverse
    image = _read(image, places[..., 1], places[..., 0], "mirror")

    def displacement() -> np.ndarray:
        return (part_moved * side) * ndimage.gaussian_filter(
            random.uniform(-1, 1, (height, width)),
            part_smoothed * side,
            truncate=3,
        )

    across = column + displacement()
    return _read(image, row + displacement(), across, "reflect")


def pixelate(
    image: np.ndarray, random: np.random.RandomState, part: float
) -> np.ndarray:
    """Resizes to `part` of width and height and back, by means over boxes."""
    height, width, _ = image.shape
    small = _picture(image).resize(
        (int(width * part), int(height * part)), Image.Resampling.BOX
    )
    return _levels(small.resize((width, height), Image.Resampling.BOX))


def jpeg_compression(
    image: np.ndarray, random: np.random.RandomState, quality: int
) -> np.ndarray:
    """Compresses by JPEG, with colours at half the resolution."""
    file = io.BytesIO()
    _picture(image).save(file, "JPEG", quality=quality)
    return _levels(Image.open(file))


def _read(
    image: np.ndarray, rows: np.ndarray, columns: np.ndarray, mode: str
) -> np.ndarray:
    """The image, linear between pixels; `mode` extends it at its edges."""
    channels = [
        ndimage.map_coordinates(channel, [rows, columns], order=1, mode=mode)
        for channel in np.moveaxis(image, -1, 0)
    ]
    return np.stack(channels, axis=-1)


def _picture(image: np.ndarray) -> Image.Image:
    levels = np.rint(255 * image).astype(np.uint8)
    return Image.fromarray(levels[..., 0] if levels.shape[-1] == 1 else levels)


def _levels(picture: Image.Image) -> np.ndarray:
    levels = np.asarray(picture)
    return (levels if levels.ndim == 3 else levels[..., np.newaxis]) / 255
