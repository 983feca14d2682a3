"""Pictures, read back from their files."""

import matplotlib.image
import numpy as np
import pytest

from ijsat_tf.evaluation import (
    adversarial_panel,
    image_rows,
    robust_curves,
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
    assert "<!-- difference x 50 -->" in (tmp_path / "one.svg").read_text()


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


def test_the_ending_says_the_format(tmp_path):
    images = RANDOM.random((1, 8, 8, 1), "float32")
    adversarial_panel(images, images, str(tmp_path / "panel.svg"))
    assert "<svg" in (tmp_path / "panel.svg").read_text()


@pytest.mark.parametrize("name", ["panel", "panel.md", ".png"])
def test_an_ending_without_a_format_is_refused(name, tmp_path):
    images = RANDOM.random((1, 8, 8, 1), "float32")
    with pytest.raises(ValueError, match="must end in .*png.* Received: "):
        adversarial_panel(images, images, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_several_files_of_the_same_bytes_each_time(tmp_path):
    images = RANDOM.random((2, 8, 8, 3), "float32")
    kinds = ("pdf", "png", "svg")
    for name in ("one", "other"):
        paths = [tmp_path / name / f"rows.{kind}" for kind in kinds]
        image_rows({"a row": images}, paths)
    for kind in kinds:
        one, other = (
            (tmp_path / name / f"rows.{kind}").read_bytes()
            for name in ("one", "other")
        )
        assert one == other
    assert len(list((tmp_path / "one").iterdir())) == 3


def curve(path, points):
    rows = [f"{epoch},{clean},{robust}" for epoch, clean, robust in points]
    header = "epoch,clean_accuracy,robust_accuracy"
    path.write_text("\n".join([header, *rows, ""]))
    return path


def line_in(picture) -> np.ndarray:
    """Rows and columns of what is drawn in the first line's blue."""
    blue = np.array([0x00, 0x72, 0xB2]) / 255
    return np.argwhere(np.abs(picture - blue).max(axis=-1) < 0.02)


def panels(path):
    """The clean and the robust panel; the legend is right of both."""
    picture = matplotlib.image.imread(path)[..., :3]
    width = picture.shape[1]
    left, middle, right = (width * part // 100 for part in (46, 50, 89))
    return picture[:, :left], picture[:, middle:right]


def test_clean_accuracy_is_left_and_robust_accuracy_right(tmp_path):
    file = curve(tmp_path / "c.csv", [(5, 0.4, 0.5), (10, 0.8, 0.3)])
    robust_curves({"AT": file}, tmp_path / "c.png")
    slopes = []
    for panel in panels(tmp_path / "c.png"):
        rows, columns = line_in(panel).T
        assert np.ptp(columns) > 100
        # Rows are counted from above.
        slopes.append(-np.polyfit(columns, rows, 1)[0])
    assert slopes[0] > 0 > slopes[1]


def test_a_curve_of_one_point_can_be_seen(tmp_path):
    file = curve(tmp_path / "c.csv", [(1, 0.5, 0.25)])
    robust_curves({"AT": file}, tmp_path / "c.png")
    for panel in panels(tmp_path / "c.png"):
        assert len(line_in(panel)) > 30


def test_runs_are_named_in_the_order_of_their_ends(tmp_path):
    ends = {"low": 0.2, "_high": 0.4, "middle $": 0.3}
    files = {
        name: curve(tmp_path / f"{n}.csv", [(1, 0.5, 0.5), (2, 0.6, end)])
        for n, (name, end) in enumerate(ends.items())
    }
    robust_curves(files, str(tmp_path / "c.svg"))
    text = (tmp_path / "c.svg").read_text()
    places = [text.index(f"<!-- {n} -->") for n in ("_high", "middle $", "low")]
    assert places == sorted(places)
    for title in ("Clean accuracy (%)", "Robust accuracy (%)", "Epoch"):
        assert f"<!-- {title} -->" in text


@pytest.mark.parametrize(
    "content, message",
    [
        (None, "No curve at"),
        ("epoch,loss\n", "is no CSV file with the columns"),
        ("epoch,clean_accuracy,robust_accuracy\n", "holds no epoch yet"),
    ],
)
def test_files_without_a_curve(tmp_path, content, message):
    file = tmp_path / "c.csv"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ValueError, match=message):
        robust_curves({"AT": file}, tmp_path / "c.png")
    assert not (tmp_path / "c.png").exists()


def test_no_curves(tmp_path):
    with pytest.raises(ValueError, match="at least one run"):
        robust_curves({}, tmp_path / "c.png")
