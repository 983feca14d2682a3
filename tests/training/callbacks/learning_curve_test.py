"""The CSV file of a curve."""

import csv

import pytest

from ijsat_tf.training.callbacks import Point, read_curve, write_curve

POINTS = [Point(5, 1 / 3, 0.1), Point(10, 0.5, 1e-05), Point(12, 1.0, 0.0)]
HEADER = "epoch,clean_accuracy,robust_accuracy\n"


def test_there_and_back(tmp_path):
    path = tmp_path / "deeper" / "curve.csv"
    write_curve(POINTS, path)
    assert read_curve(path) == POINTS
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["clean_accuracy"]) for row in rows] == [1 / 3, 0.5, 1.0]
    assert [row["epoch"] for row in rows] == ["5", "10", "12"]
    assert [file.name for file in path.parent.iterdir()] == ["curve.csv"]


def test_no_points(tmp_path):
    write_curve([], tmp_path / "curve.csv")
    assert read_curve(tmp_path / "curve.csv") == []


@pytest.mark.parametrize(
    "content",
    [
        "",
        "epoch,loss\n1,0.5\n",
        HEADER + "1,0.5\n",
        HEADER + "1,0.5,0.4,0.3\n",
        HEADER + "one,0.5,0.4\n",
        HEADER + "0,0.5,0.4\n",
        HEADER + "2,0.5,0.4\n1,0.5,0.4\n",
        HEADER + "1,0.5,0.4\n1,0.5,0.4\n",
        HEADER + "1,50,40\n",
        HEADER + "1,0.5,nan\n",
        "\udcff",
    ],
)
def test_other_files(tmp_path, content):
    path = tmp_path / "curve.csv"
    path.write_text(content, errors="surrogateescape")
    with pytest.raises(ValueError, match="curve.csv must be a CSV file with"):
        read_curve(path)


def test_a_missing_file(tmp_path):
    with pytest.raises(ValueError, match="There is no curve at"):
        read_curve(tmp_path / "curve.csv")
