"""Markdown whose Python cells run, with what they print and draw."""

from __future__ import annotations

import contextlib
import io
import pathlib
import re
from collections.abc import Iterator
from typing import Any

# The pages, in docs/, whose cells run.
PAGES = "tutorial", "attack", "train", "flows", "evaluate"
_CELL = re.compile(r"^```python\n(.*?)^```\n", re.DOTALL | re.MULTILINE)


def parts(path: pathlib.Path) -> list[str]:
    """The text and the cells of a file by turns, with text first and last."""
    return _CELL.split(path.read_text(encoding="utf-8"))


def run(path: pathlib.Path, folder: pathlib.Path) -> tuple[dict[str, Any], str]:
    """Runs the cells of a file, in order and in one namespace.

    Args:
        path: of the file.
        folder: where they run, and write what they write.

    Returns:
        The names they define, and the file's text with, below each cell, what
        it printed, and the pictures and pages that it wrote, for a page that
        lies beside the folder.
    """
    text, shown, end = path.read_text(encoding="utf-8"), [], 0
    names = {"__name__": "__main__"}
    with contextlib.chdir(folder):
        for cell in _CELL.finditer(text):
            # Errors and warnings tell the line of the file, and TensorFlow
            # finds the source of a function there.
            above = "\n" * text[: cell.start(1)].count("\n")
            program = compile(above + cell[1], str(path), "exec")
            before = _written()
            printed = io.StringIO()
            with (
                contextlib.redirect_stdout(printed),
                contextlib.redirect_stderr(printed),
            ):
                exec(program, names)
            new = sorted(_written() - before, key=lambda file: file[1])
            shown.append(text[end : cell.end()])
            shown += _below(folder.name, printed.getvalue(), new)
            end = cell.end()
    return names, "".join(shown) + text[end:]


def _written() -> set[tuple[pathlib.Path, int]]:
    return {
        (path, path.stat().st_mtime_ns)
        for path in pathlib.Path().rglob("*.*")
        if path.suffix in (".png", ".html")
    }


def _below(
    folder: str, printed: str, written: list[tuple[pathlib.Path, int]]
) -> Iterator[str]:
    if printed:
        kind = "output table" if printed.startswith("|") else "output"
        yield f"\n```{{code-block}} text\n:class: {kind}\n\n{printed}```\n"
    for path, _ in written:
        where, name = f"{folder}/{path.as_posix()}", path.stem.replace("_", " ")
        if path.suffix == ".png":
            yield f'\n<p><img src="{where}" alt="{name}"></p>\n'
        else:
            yield f'\n<p><a href="{where}">{path.name}</a></p>\n'
