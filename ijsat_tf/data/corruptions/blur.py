"""The blurs of CIFAR-10-C: defocus, glass, motion and zoom.

Images are (H, W, C), float64 in [0, 1], as in noise.py.
"""

import numpy as np
from scipy import ndimage


def defocus_blur(
    image: np.ndarray,
    random: np.random.RandomState,
    radius: float,
    alias: float,
) -> np.ndarray:
    """Convolves with a disk that is smoothed by 3x3 Gaussian weights.

    Args:
        image: Image (H, W, C) in [0, 1].
        random: Random numbers, which are not used.
        radius: Radius of the disk in pixels, at most 2.
        alias: Standard deviation of the weights in pixels.
    """
    across = np.arange(-3, 4)
    disk = (across**2 + across[:, np.newaxis] ** 2 <= radius**2).astype(float)
    kernel = ndimage.gaussian_filter(disk / disk.sum(), alias, radius=1)
    return ndimage.correlate(image, kernel[..., np.newaxis], mode="mirror")


def glass_blur(
    image: np.ndarray,
    random: np.random.RandomState,
    deviation: float,
    rounds: int,
) -> np.ndarray:
    """Replaces pixels by one of four neighbours, between two Gaussian blurs.

    The original code is meant to swap neighbours, but its swap of two NumPy
    views only copies. That code goes from the last pixel to the first and
    copies from earlier pixels, so that each round copies from one state of the
    image.

    Args:
        image: Image (H, W, C) in [0, 1].
        random: Random numbers that choose a neighbour: the pixel itself, the
            pixel above, the pixel to the left, or the pixel above and to the
            left.
        deviation: Standard deviation of the blurs in pixels.
        rounds: Number of rounds of copying.
    """
    blurs = {"sigma": (deviation, deviation, 0), "mode": "nearest"}
    image = np.floor(255 * ndimage.gaussian_filter(image, **blurs)) / 255
    height, width, _ = image.shape
    row, column = np.mgrid[2:height, 2:width]
    for _ in range(rounds):
        # From the last pixel to the first, as the original draws them.
        shift = random.randint(-1, 1, (*row.shape, 2))[::-1, ::-1]
        image[2:, 2:] = image[row + shift[..., 1], column + shift[..., 0]]
    return ndimage.gaussian_filter(image, **blurs)


def motion_blur(
    image: np.ndarray,
    random: np.random.RandomState,
    radius: int,
    deviation: float,
) -> np.ndarray:
    """Blurs by `moved` in a random direction from -45 to 45 degrees."""
    return moved(image, random.uniform(-45, 45), radius, deviation)


def moved(
    image: np.ndarray, angle: float, radius: int, deviation: float
) -> np.ndarray:
    """Blurs along a direction, with half a Gaussian k as weights.

    The result is sum_i k_i x(p + i (cos angle, sin angle)), and equals that of
    ImageMagick (6.9, 16 bits per value) to the last bit: offsets round halves
    down, edge pixels continue outwards, and 16 bits round while 8 bits
    truncate.

    Args:
        image: Image (H, W, C) in [0, 1].
        angle: Angle in degrees, clockwise from the direction of rows.
        radius: Half the length of the motion in pixels; i goes from 0 to 2
            radius.
        deviation: Standard deviation of the Gaussian in pixels.
    """
    places = np.arange(2 * radius + 1)
    weights = np.exp(-(places**2) / (2 * deviation**2))
    height, width, _ = image.shape
    blurred = np.zeros_like(image)
    for place, weight in zip(places, weights / weights.sum()):
        across = np.ceil(place * np.cos(np.deg2rad(angle)) - 0.5).astype(int)
        down = np.ceil(place * np.sin(np.deg2rad(angle)) - 0.5).astype(int)
        rows = np.clip(np.arange(height) + down, 0, height - 1)
        columns = np.clip(np.arange(width) + across, 0, width - 1)
        blurred += weight * image[rows][:, columns]
    return np.floor(65535 * blurred + 0.5) // 257 / 255


def zoom_blur(
    image: np.ndarray, random: np.random.RandomState, stop: float
) -> np.ndarray:
    """Averages an image and its `zoomed` versions by 1, 1.01, ... to `stop`."""
    zooms = np.arange(1, stop, 0.01)
    total = image + sum(zoomed(image, zoom) for zoom in zooms)
    return total / (len(zooms) + 1)


def zoomed(image: np.ndarray, zoom: float) -> np.ndarray:
    """The middle of an image, linearly enlarged to the image's size."""

    def middle(whole: np.ndarray, sizes: list[int]) -> np.ndarray:
        starts = [(all_ - size) // 2 for all_, size in zip(whole.shape, sizes)]
        return whole[
            tuple(slice(low, low + size) for low, size in zip(starts, sizes))
        ]

    sizes = image.shape[:2]
    part = middle(image, [int(np.ceil(size / zoom)) for size in sizes])
    return middle(ndimage.zoom(part, (zoom, zoom, 1), order=1), sizes)
