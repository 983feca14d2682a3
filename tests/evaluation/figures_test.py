"""Pictures, read back from their files."""

import matplotlib.image
import numpy as np
import pytest

from ijsat_tf.evaluation import adversarial_panel

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("count", [1, 4])
def test_the_panel_shows_originals_samples_and_differences(
    tmp_path, channels, count
):
    images = RANDOM.random((count, 8, 8, channels), "float32")
    change = RANDOM.choice(np.float32([-0.1, 0.1]), images.shape)
    adversarial = np.clip(images + change, 0, 1)
    path = tmp_path / "panel.png"
    adversarial_panel(images, adversarial, path)
    picture = matplotlib.image.imread(path)[..., :3]
    height, width, _ = picture.shape
    assert width > 100 * count and height > 300
    for third in np.array_split(picture, 3):
        assert third.std() > 0.05


def test_no_difference_is_grey(tmp_path):
    images = RANDOM.random((2, 8, 8, 3), "float32")
    adversarial_panel(images, images, tmp_path / "same.png", name="none")
    picture = matplotlib.image.imread(tmp_path / "same.png")[..., :3]
    last = picture[2 * len(picture) // 3 :]
    grey = np.abs(last - 0.5).max(axis=-1) < 0.01
    assert grey.mean() > 0.5


def test_the_largest_difference_is_black_or_white(tmp_path):
    images = np.full((1, 8, 8, 3), 0.5, "float32")
    adversarial = images.copy()
    adversarial[:, :4] -= 0.02
    adversarial[:, 4:] += 0.01
    adversarial_panel(images, adversarial, tmp_path / "two.png")
    picture = matplotlib.image.imread(tmp_path / "two.png")[..., :3]
    column = picture[2 * len(picture) // 3 :, picture.shape[1] // 2 + 10, 0]
    for shade in (0, 0.75):
        assert np.sum(np.abs(column - shade) < 0.01) > 20


def test_the_ending_says_the_format(tmp_path):
    images = RANDOM.random((1, 8, 8, 1), "float32")
    adversarial_panel(images, images, str(tmp_path / "panel.svg"))
    assert "<svg" in (tmp_path / "panel.svg").read_text()
