"""The original CIFAR-10-C code, run on this library's random numbers.

IJSAT_ORACLES names a folder with a clone of
https://github.com/hendrycks/robustness, at 8190fe3, named robustness. The code
needs OpenCV and scikit-image, and motion blur and snow need Wand, too.
"""

import contextlib
import os
import pathlib
import sys
import types
from unittest import mock

import numpy as np
from PIL import Image

from ijsat_tf.data.corruptions.apply import stream

FOLDER = os.environ.get("IJSAT_ORACLES")
NEED_WAND = ("motion_blur", "snow")
# What NumPy, SciPy and scikit-image have renamed since.
RENAMED = {
    "multichannel=True": "channel_axis=-1",
    "np.fromstring": "np.frombuffer",
    "np.float_": "np.float64",
    "scipy.ndimage.interpolation": "scipy.ndimage",
    "sk.util.random_noise": "random_noise",
}


def folder() -> pathlib.Path | None:
    """That of the original script and its photographs, if it is there."""
    if FOLDER is None:
        return None
    found = pathlib.Path(FOLDER) / "robustness/ImageNet-C/create_c"
    return found if found.exists() else None


def has_wand() -> bool:
    """Whether Wand finds ImageMagick."""
    try:
        import wand.api  # noqa: F401
    except ImportError:
        return False
    return True


def script() -> types.SimpleNamespace:
    """The original's functions, without what writes the published set."""
    import skimage.util

    text = (folder() / "make_cifar_c.py").read_text(encoding="utf-8")
    text = text.split("Distortion Helpers ///////////////\n", 1)[1]
    text = text.split("# /////////////// End Distortions")[0]
    for old, new in RENAMED.items():
        text = text.replace(old, new)

    def random_noise(image, **settings):
        # It no longer draws from NumPy's global stream.
        rng = np.random.Generator(np.random.mtrand._rand._bit_generator)
        return skimage.util.random_noise(image, rng=rng, **settings)

    stand_ins = {
        "wand": mock.MagicMock(),
        "wand.image": types.SimpleNamespace(Image=object),
        "wand.api": mock.MagicMock(),
        "wand.color": mock.MagicMock(),
    }
    names = {"np": np, "Image": Image, "random_noise": random_noise}
    absent = mock.patch.dict(sys.modules, stand_ins)
    with contextlib.nullcontext() if has_wand() else absent:
        exec(text, names)
    return types.SimpleNamespace(**names)


def corrupt(
    original: types.SimpleNamespace,
    images: np.ndarray,
    name: str,
    severity: int,
    seed: int = 0,
) -> np.ndarray:
    """What the original makes of images, each on its own stream.

    Args:
        original: `script()`.
        images: (N, 32, 32, 3) uint8.
        name: of the corruption.
        severity: 1 to 5.
        seed: that of `ij.data.corrupt`.
    """
    found = []
    with contextlib.chdir(folder()):
        for place, levels in enumerate(images):
            random = stream(name, severity, seed, place)
            np.random.set_state(random.get_state())
            changed = getattr(original, name)(Image.fromarray(levels), severity)
            found.append(np.uint8(changed))
    return np.stack(found)
