"""Drawn figures as files: the same figure gives the same bytes."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Sequence
from typing import Any

from ijsat_tf import checks
from ijsat_tf.storage.files import replaced

Paths = str | os.PathLike | Sequence[str | os.PathLike]

# Metadata that would tell when, or by which version, a file was written.
_DATED = {
    ".pdf": {"CreationDate": None},
    ".png": {"Software": None},
    ".svg": {"Date": None},
    ".svgz": {"Date": None},
}


def require_format(path: str | os.PathLike) -> None:
    """Checks that the ending of a file is the ending of a format.

    Args:
        path: Path of the file.

    Raises:
        ValueError: for another ending.
    """
    from matplotlib.backend_bases import FigureCanvasBase

    known = FigureCanvasBase.get_supported_filetypes()
    checks.require(
        pathlib.Path(path).suffix[1:].lower() in known,
        f"The `path` of a picture must end in .{', .'.join(sorted(known))}.",
        repr(str(path)),
    )


def save(figure: Any, paths: Paths, dpi: int) -> None:
    """Writes a figure; the same figure gives the same file, to the byte.

    Files of PostScript and compressed SVG also hold the time.

    Args:
        figure: Figure of matplotlib.
        paths: Path of the file to write, or several paths; their endings tell
            the formats.
        dpi: Pixels per inch, for the parts of a figure that are made of
            pixels.

    Raises:
        ValueError: for an ending that is not the ending of a format.
    """
    import matplotlib

    if isinstance(paths, (str, os.PathLike)):
        paths = [paths]
    for path in paths:
        require_format(path)
    # Publishers ask for letters as TrueType fonts (42). Without a fixed salt,
    # names inside of an SVG file are random.
    settings = {"pdf.fonttype": 42, "svg.hashsalt": "ijsat_tf"}
    for path in map(pathlib.Path, paths):
        dated = _DATED.get(path.suffix.lower())
        with matplotlib.rc_context(settings), replaced(path) as aside:
            figure.savefig(aside, dpi=dpi, metadata=dated)
