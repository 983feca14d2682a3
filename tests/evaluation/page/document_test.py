"""The file of a page: what may run in it, and what it carries."""

import base64
import hashlib
import struct

import numpy as np
import pytest

from ijsat_tf.evaluation import Run, to_html
from ijsat_tf.evaluation.figures import sample_grid
from ijsat_tf.evaluation.page.document import document, gallery
from ijsat_tf.evaluation.page.elements import element, section
from tests.evaluation.page.elements_test import page_of
from tests.evaluation.page.parsed import parse
from tests.evaluation.synthetic import row


@pytest.fixture
def runs():
    return [Run("at", row(["standard", "pgd20"], "at"))]


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "samples.png"
    sample_grid(np.zeros((4, 8, 8, 3)), path)
    return path


def test_only_the_page_s_own_script_may_run(runs):
    page = parse(to_html(runs))
    (policy,) = [
        node.attributes["content"]
        for node in page.all("meta")
        if node.attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    (script,) = page.all("script")
    digest = hashlib.sha256("".join(script.children).encode()).digest()
    assert policy.startswith("default-src 'none';")
    assert f"'sha256-{base64.b64encode(digest).decode()}'" in policy


def test_a_picture_keeps_its_place(runs, picture):
    _, image = parse(to_html(runs, {"Samples": picture})).all("img")
    content = picture.read_bytes()
    assert image.attributes["src"].endswith(base64.b64encode(content).decode())
    # 10 columns of 0.6 inches at 160 dots an inch, and one line of them.
    size = image.attributes["width"], image.attributes["height"]
    assert size == ("960", "96") and image.attributes["alt"] == "Samples"


def test_equal_pictures_are_shown_once(runs, picture, tmp_path):
    again = tmp_path / "again.png"
    again.write_bytes(picture.read_bytes())
    page = parse(to_html(runs, {"One": picture, "Two": again}))
    _, *images = page.all("img")  # After the chart.
    assert [each.attributes["alt"] for each in images] == ["One"]


def test_sections_are_listed_in_their_order():
    parts = [section("a", "First", "one"), section("b", "<Second>", "two")]
    text = document("A & B", ["a line", element("b", "bold")], parts)
    assert text.startswith("<!doctype html>\n<html") and text.endswith(">\n")
    page = parse(text)
    (nav,) = page.all("nav")
    links = [(link.attributes["href"], link.text) for link in nav.all("a")]
    assert links == [("#a", "First"), ("#b", "<Second>")]
    (main,) = page.all("main")
    assert [part.text for part in main.children if part != "\n"] == [
        "First one",
        "<Second> two",
    ]
    (title,), (header,) = page.all("title"), page.all("header")
    assert title.text == "A & B" and header.text == "A & B a line bold"


@pytest.mark.parametrize(
    ("width", "height", "kind"),
    [(70_000, 300, "wide"), (301, 200, "wide"), (300, 200, None)],
)
def test_sizes_are_those_in_the_file(width, height, kind, tmp_path):
    path = tmp_path / "picture.png"
    start = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4s", 13, b"IHDR")
    path.write_bytes(start + struct.pack(">II", width, height))
    (figure,) = page_of(gallery({"Wide": path})).all("figure")
    (image,) = figure.all("img")
    size = image.attributes["width"], image.attributes["height"]
    assert size == (str(width), str(height))
    assert figure.attributes.get("class") == kind


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"]
)
def test_other_pictures_than_png_are_refused(content, tmp_path):
    path = tmp_path / "picture.png"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="carries PNG files.*picture.png"):
        gallery({"Samples": path})
