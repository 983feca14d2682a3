"""Pictures, read back from their files."""

import matplotlib.image
import numpy as np
import pytest

from ijsat_tf.evaluation import (
    adversarial_panel,
    image_rows,
    sample_grid,
)

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


def test_a_pixel_of_high_contrast_leaves_the_others_visible(tmp_path):
    images = np.full((1, 32, 32, 3), 0.5, "float32")
    adversarial = images - 0.01
    adversarial[0, 0, 0] = 1
    adversarial_panel(images, adversarial, tmp_path / "one.svg")
    text = (tmp_path / "one.svg").read_text()
    assert "<!-- difference -->" in text and "<!-- x 50 -->" in text


def test_titles_stand_above_the_images(tmp_path):
    images = RANDOM.random((2, 8, 8, 1), "float32")
    path = tmp_path / "rows.svg"
    image_rows({"row": images}, path, titles=["cat", "dog"])
    for title in ("cat", "dog", "row"):
        assert f"<!-- {title} -->" in path.read_text()


@pytest.mark.parametrize("channels", [1, 3])
def test_a_grid_shows_each_sample_at_its_place(tmp_path, channels):
    shades = np.linspace(0.1, 0.9, 7, dtype="float32")
    images = np.ones((7, 4, 4, channels), "float32")
    sample_grid(
        images * shades[:, None, None, None], tmp_path / "grid.png", columns=3
    )
    picture = matplotlib.image.imread(tmp_path / "grid.png")[..., 0]
    side = picture.shape[1] // 3
    assert picture.shape[0] // side == 3
    middles = picture[side // 2 :: side, side // 2 :: side].ravel()
    np.testing.assert_allclose(middles, [*shades, 1, 1], atol=0.01)


def test_rows_must_be_as_long_as_each_other(tmp_path):
    images = RANDOM.random((3, 4, 4, 1))
    for rows in ({}, {"one": images, "other": images[:2]}):
        with pytest.raises(ValueError, match="equally many"):
            image_rows(rows, tmp_path / "rows.png")
