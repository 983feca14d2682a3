"""Files that are never half written."""

from __future__ import annotations

import contextlib
import os
import pathlib
from collections.abc import Iterator


@contextlib.contextmanager
def replaced(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A path to write to, which becomes `path` when all is written.

    An interruption leaves the file that was there before.

    Args:
        path: of the file; its folder is made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name("." + path.name)
    yield aside
    os.replace(aside, path)
