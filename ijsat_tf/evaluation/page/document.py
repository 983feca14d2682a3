"""An HTML file that loads no other file, with pictures inside."""

from __future__ import annotations

import base64
import hashlib
import os
import pathlib
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

from ijsat_tf import checks
from ijsat_tf.evaluation.page.elements import Child, Element, element

_HERE = pathlib.Path(__file__).parent
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def document(
    title: str, about: Sequence[Child], sections: Sequence[Element]
) -> str:
    """Returns the text of the HTML file.

    Args:
        title: Title, in plain text.
        about: Lines below the title.
        sections: Sections as `elements.section` makes them, also listed at
            the top of the page.
    """
    style = (_HERE / "page.css").read_text(encoding="utf-8")
    script = (_HERE / "page.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest())
    # Whatever the texts of a page hold, the browser runs no other script and
    # loads nothing.
    policy = (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest.decode()}'"
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element(
            "meta",
            name_="viewport",
            content="width=device-width, initial-scale=1",
        ),
        element("meta", name_="color-scheme", content="light dark"),
        element("title", title),
        element("style", style),
    )
    links = [
        element("a", "".join(part[0].itertext()), href="#" + part.get("id"))
        for part in sections
    ]
    body = element(
        "body",
        element("a", "Skip to the contents", href="#main", class_="skip"),
        element(
            "header",
            element("h1", title),
            *(element("p", line) for line in about),
        ),
        element(
            "nav",
            element("ul", *(element("li", link) for link in links)),
            aria_label="Sections",
        ),
        element("main", *sections, id="main", tabindex="-1"),
        element("script", script),
    )
    page = element("html", head, body, lang="en")
    text = ElementTree.tostring(page, encoding="unicode", method="html")
    return f"<!doctype html>\n{text}\n"


def gallery(pictures: Mapping[str, str | os.PathLike]) -> Element:
    """Returns pictures with their captions, equal files once.

    A flow's run and the figures both draw samples of the flow.

    Args:
        pictures: Pictures {caption: path of a PNG file}.

    Raises:
        ValueError: for a file of another format.
    """
    first: dict[bytes, str] = {}
    for caption, path in pictures.items():
        first.setdefault(pathlib.Path(path).read_bytes(), caption)
    figures = [
        _figure(caption, pathlib.Path(pictures[caption]))
        for caption in first.values()
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
        int.from_bytes(content[at : at + 4], "big") for at in (16, 20)
    )
    source = "data:image/png;base64," + base64.b64encode(content).decode()
    image = element(
        "img", src=source, alt=caption, width=str(width), height=str(height)
    )
    # Beside another picture, letters of a wide one would be too small.
    return element(
        "figure",
        image,
        element("figcaption", caption),
        class_="wide" if 2 * width > 3 * height else "",
    )
