"""The weather of CIFAR-10-C: snow, frost, fog and brightness.

Images are (H, W, C), float64 in [0, 1], as in noise.py.
"""

import numpy as np

from ijsat_tf.data.corruptions.blur import moved, zoomed

_LUMA = np.array([0.299, 0.587, 0.114])
# For each of the five photographs, shrunk to a fifth: the mean colour and the
# standard deviation in grey levels, and the share of slow changes in the
# variance.
_FROSTS = (
    ((77, 148, 165), 18.1, 0.75),
    ((198, 203, 212), 20.5, 0.5),
    ((199, 203, 212), 20.4, 0.5),
    ((144, 159, 171), 28.2, 0.36),
    ((102, 113, 125), 37.8, 0.42),
)


def snow(
    image: np.ndarray,
    random: np.random.RandomState,
    mean: float,
    deviation: float,
    zoom: float,
    threshold: float,
    radius: int,
    blur: float,
    kept: float,
) -> np.ndarray:
    """Whitens the image, then adds flakes and the flakes turned by 180 degrees.

    Args:
        image: Image (H, W, C) in [0, 1].
        random: Random numbers of the flakes and of the direction in which they
            fall.
        mean: Mean of the normal noise that flakes are made of.
        deviation: Standard deviation of that noise.
        zoom: Factor by which flakes are larger than a pixel.
        threshold: Threshold of the noise, below which there is no snow.
        radius: Half the length of the flakes' motion in pixels.
        blur: Standard deviation of the motion in pixels.
        kept: Share of the image in the whitened image, kept x + (1 - kept)
            max(x, 1.5 grey(x) + 0.5).
    """
    flakes = random.normal(mean, deviation, image.shape[:2])
    flakes = zoomed(flakes[..., np.newaxis], zoom)
    flakes = np.where(flakes < threshold, 0, np.clip(flakes, 0, 1))
    angle = random.uniform(-135, -45)
    flakes = moved(np.floor(255 * flakes) / 255, angle, radius, blur)
    white = np.maximum(image, 1.5 * _grey(image) + 0.5)
    return kept * image + (1 - kept) * white + flakes + np.rot90(flakes, 2)


def frost(
    image: np.ndarray,
    random: np.random.RandomState,
    kept: float,
    added: float,
) -> np.ndarray:
    """Returns kept x + added ice, with a texture as ice.

    The original cuts ice out of one of five photographs. Here the ice is one
    of five colours plus normal noise with the photograph's variance. A share
    of the noise's power is proportional to frequency^-2.5, and the rest is
    white.
    """
    colour, deviation, share = _FROSTS[random.randint(len(_FROSTS))]
    height, width, channels = image.shape
    # The torus is larger than the image, so that the slowest waves are longer
    # than the image.
    sides = 4 * height, 4 * width
    frequency = np.hypot.outer(*map(np.fft.fftfreq, sides))
    frequency[0, 0] = np.inf
    slow = frequency**-2.5
    power = share * slow / slow.mean() + 1 - share
    waves = np.fft.fft2(random.normal(size=sides)) * np.sqrt(power)
    texture = np.fft.ifft2(waves).real[:height, :width, np.newaxis]
    ice = np.clip(np.array(colour) + deviation * texture, 0, 255) / 255
    return kept * image + added * (_grey(ice) if channels == 1 else ice)


def fog(
    image: np.ndarray,
    random: np.random.RandomState,
    amount: float,
    decay: float,
) -> np.ndarray:
    """Adds fog, (x + amount f) m / (m + amount), f a `plasma`, m = max x."""
    height, width, _ = image.shape
    side = 1 << (max(height, width) - 1).bit_length()
    clouds = plasma(side, random, decay)[:height, :width, np.newaxis]
    most = image.max()
    return (image + amount * clouds) * most / (most + amount)


def plasma(
    side: int, random: np.random.RandomState, decay: float
) -> np.ndarray:
    """Makes a random landscape by the diamond-square algorithm on a torus.

    Args:
        side: Side of the landscape in pixels, a power of 2.
        random: Random numbers of the heights.
        decay: Divisor of the random part's factor, applied each time that the
            side of the squares is halved.

    Returns:
        Heights (side, side) in [0, 1].
    """
    heights = np.zeros((side, side))
    step, wobble = side, 100.0

    def displaced(total: np.ndarray) -> np.ndarray:
        noise = random.uniform(-wobble, wobble, total.shape)
        return total / 4 + wobble * noise

    def pairs(grid: np.ndarray, shift: int, axis: int) -> np.ndarray:
        return grid + np.roll(grid, shift, axis)

    while step > 1:
        half = step // 2
        corners = heights[::step, ::step]
        centres = displaced(pairs(pairs(corners, -1, 0), -1, 1))
        heights[half::step, half::step] = centres
        heights[::step, half::step] = displaced(
            pairs(centres, 1, 0) + pairs(corners, -1, 1)
        )
        heights[half::step, ::step] = displaced(
            pairs(centres, 1, 1) + pairs(corners, -1, 0)
        )
        step, wobble = half, wobble / decay
    heights -= heights.min()
    return heights / heights.max()


def brightness(
    image: np.ndarray, random: np.random.RandomState, added: float
) -> np.ndarray:
    """Returns x min(v + added, 1) / v, v a pixel's largest channel.

    This adds to the value in HSV (hue, saturation, value); black turns grey.
    """
    value = image.max(axis=-1, keepdims=True)
    hue = np.divide(image, value, out=np.ones_like(image), where=value > 0)
    return hue * np.minimum(value + added, 1)


def _grey(image: np.ndarray) -> np.ndarray:
    if image.shape[-1] == 1:
        return image
    return (image @ _LUMA)[..., np.newaxis]
