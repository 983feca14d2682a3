"""Curves of accuracy, read back from their files."""

import matplotlib.image
import numpy as np
import pytest

from ijsat_tf.evaluation import robust_curves


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
        (None, "There is no curve at"),
        ("epoch,loss\n", "must be a CSV file with the columns"),
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
