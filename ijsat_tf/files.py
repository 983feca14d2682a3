"""Files that are never half written."""

from __future__ import annotations

import contextlib
import os
import pathlib
from collections.abc import Iterator

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


@contextlib.contextmanager
def replaced(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A path to write to, which becomes `path` when all is on the disk.

    An interruption, an error or a power failure leaves the file that was
    there before; an error leaves nothing beside it.

    Args:
        path: of the file; its folder is made.

    Raises:
        ValueError: for a path that ends in no name, such as ".".
        OSError: naming the path, for what cannot be written, such as a disk
            that is full.
    """
    if path.name in ("", ".."):
        raise ValueError(f"`path` {str(path)!r} is no name of a file to write.")
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name("." + path.name)
    try:
        # A link of that name would lead the writing elsewhere.
        aside.unlink(missing_ok=True)
        yield aside
        _flush(aside)
        os.replace(aside, path)
    except OSError as error:
        # A write does not say to which file, and an open names the one aside.
        if error.errno is not None and error.filename in (None, str(aside)):
            error.filename = str(path)
        raise
    finally:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
    # The new name is lost with the power otherwise, not the old file; some
    # systems cannot flush a folder.
    with contextlib.suppress(OSError):
        _flush(path.parent)


def lock(folder: pathlib.Path) -> bool:
    """Reserves a folder until this process ends, however that comes.

    Args:
        folder: Folder, which is there.

    Returns:
        False where another process holds the folder. True also where the
        system knows no such locks, as some file systems of networks do not.
    """
    if fcntl is None:
        return True
    # Never closed: the folder would be free again.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    except OSError:
        os.close(descriptor)
    return True


def read_text(path: pathlib.Path) -> str:
    """The text in a file.

    Args:
        path: of the file.

    Raises:
        ValueError: for one that is no text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is damaged, or no text: {error.reason} at byte "
            f"{error.start}. Restore it, or move it away."
        ) from error


def _flush(path: pathlib.Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
