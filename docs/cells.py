"""Markdown whose Python cells run, with what they print and draw."""

from __future__ import annotations

import contextlib
import io
import pathlib
import re
from collections.abc import Iterator
from typing import Any

_CELL = re.compile(r"^```python\n(.*?)^```\n", re.DOTALL | re.MULTILINE)


def code(path: pathlib.Path) -> str:
    """All cells of a file, one below the other."""
    return "".join(_CELL.findall(path.read_text(encoding="utf-8")))


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
    text, names, shown, end = path.read_text(encoding="utf-8"), {}, [], 0
    with contextlib.chdir(folder):
        for cell in _CELL.finditer(text):
            # Errors and warnings tell the line of the file.
            above = "\n" * text[: cell.start(1)].count("\n")
            program = compile(above + cell[1], path.name, "exec")
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
