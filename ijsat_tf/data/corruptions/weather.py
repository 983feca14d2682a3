"""Snow, frost, fog and daylight; images are as in noise.py."""

import numpy as np

from ijsat_tf.data.corruptions.blur import moved, zoomed

_LUMA = np.array([0.299, 0.587, 0.114])
# Of the five photographs, shrunk to a fifth: the mean colour and the standard
# deviation in grey levels, and the share of slow changes in the variance.
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
    """Whitens the image, and adds flakes, and these turned by 180 degrees.

    Args:
        image: (H, W, C) in [0, 1].
        random: of the flakes and of the direction in which they fall.
        mean: of the normal noise that flakes are made of.
        deviation: likewise.
        zoom: how many times larger than a pixel flakes are.
        threshold: noise below is no snow.
        radius: half the length of their motion in pixels.
        blur: standard deviation of the motion in pixels.
        kept: kept x + (1 - kept) max(x, 1.5 grey(x) + 0.5).
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
    """kept x + added ice, ice a texture in place of a photograph.

    The original cuts ice out of one of five photographs. Here it is one of
    five colours plus normal noise with the photograph's variance, whose
    power is a share proportional to frequency^-2.5, and the rest white.
    """
    colour, deviation, share = _FROSTS[random.randint(len(_FROSTS))]
    height, width, channels = image.shape
    # A torus larger than the image has changes slower than the image shows.
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
    """(x + amount f) m / (m + amount), f a `plasma`, m the maximum of x."""
    height, width, _ = image.shape
    side = 1 << (max(height, width) - 1).bit_length()
    clouds = plasma(side, random, decay)[:height, :width, np.newaxis]
    most = image.max()
    return (image + amount * clouds) * most / (most + amount)


def plasma(
    side: int, random: np.random.RandomState, decay: float
) -> np.ndarray:
    """A random landscape of the diamond-square algorithm on a torus.

    Args:
        side: a power of 2.
        random: of the heights.
        decay: by how much the factor of the random part falls from one
            size of squares to the next half of it.

    Returns:
        (side, side) in [0, 1].
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
    """x min(v + added, 1) / v, v the largest of a pixel's channels.

    Which adds to the value of hue, saturation and value; black turns grey.
    """
    value = image.max(axis=-1, keepdims=True)
    hue = np.divide(image, value, out=np.ones_like(image), where=value > 0)
    return hue * np.minimum(value + added, 1)


def _grey(image: np.ndarray) -> np.ndarray:
    if image.shape[-1] == 1:
        return image
    return (image @ _LUMA)[..., np.newaxis]
