"""Pictures inside of a page's file."""

from __future__ import annotations

import base64
import os
import pathlib
from collections.abc import Mapping

from ijsat_tf import checks
from ijsat_tf.evaluation.page.elements import Element, element

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def gallery(pictures: Mapping[str, str | os.PathLike]) -> Element:
    """Returns pictures with their captions.

    Args:
        pictures: Pictures {caption: path of a PNG file}.

    Raises:
        ValueError: for a file of another format.
    """
    figures = [
        _figure(caption, pathlib.Path(path))
        for caption, path in pictures.items()
    ]
    return element("div", *figures, class_="gallery")


def _figure(caption: str, path: pathlib.Path) -> Element:
    content = path.read_bytes()
    checks.require(
        content.startswith(_SIGNATURE) and content[12:16] == b"IHDR",
        "A page carries PNG files; write the picture in that format.",
        str(path),
    )
    # With the size of the image known, the page's contents do not move while
    # the browser loads it.
    width, height = (
        str(int.from_bytes(content[at : at + 4], "big")) for at in (16, 20)
    )
    source = "data:image/png;base64," + base64.b64encode(content).decode()
    image = element("img", src=source, alt=caption, width=width, height=height)
    return element("figure", image, element("figcaption", caption))
