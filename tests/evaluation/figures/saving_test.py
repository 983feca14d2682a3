"""Files of figures, against what was drawn and the formats' own marks."""

import matplotlib.image
import numpy as np
import pytest
from matplotlib.figure import Figure

from ijsat_tf.evaluation import adversarial_panel, image_rows
from ijsat_tf.evaluation.figures.saving import save

RANDOM = np.random.default_rng(0)


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


def test_pixels_are_inches_times_their_number_an_inch(tmp_path):
    figure = Figure(figsize=(2, 1), facecolor="#0072b2")
    for dpi in (50, 120):
        save(figure, tmp_path / "blue.png", dpi)
        picture = matplotlib.image.imread(tmp_path / "blue.png")[..., :3]
        assert picture.shape == (dpi, 2 * dpi, 3)
        np.testing.assert_allclose(255 * picture[0, 0], [0, 0x72, 0xB2])


def test_letters_of_a_pdf_are_truetype_fonts(tmp_path):
    figure = Figure()
    figure.text(0.5, 0.5, "letters")
    save(figure, [tmp_path / "letters.pdf", tmp_path / "letters.svg"], 100)
    content = (tmp_path / "letters.pdf").read_bytes()
    assert b"/FontFile2" in content and b"/Type3" not in content
    assert b"CreationDate" not in content
    assert "dc:date" not in (tmp_path / "letters.svg").read_text()
    save(figure, [tmp_path / "LETTERS.SVG", tmp_path / "LETTERS.PNG"], 100)
    assert "dc:date" not in (tmp_path / "LETTERS.SVG").read_text()
    assert b"Software" not in (tmp_path / "LETTERS.PNG").read_bytes()


def test_one_path_of_no_format_keeps_the_others_from_being_written(tmp_path):
    paths = [tmp_path / "one.png", tmp_path / "one.txt"]
    with pytest.raises(ValueError, match="one.txt"):
        save(Figure(), paths, 100)
    assert not list(tmp_path.iterdir())
