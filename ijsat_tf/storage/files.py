"""Atomic writes of files, and locks of folders."""

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
    """A context with a path to write to, which becomes `path` at the end.

    The file replaces `path` once it is on the disk. An interruption, an error
    or a power failure leaves the file that was there before; an error leaves
    nothing beside that file.

    Args:
        path: Path of the file; its folder is created.

    Raises:
        ValueError: for a path that does not end in a name, such as ".".
        OSError: for a path that cannot be written, such as on a full disk; the
            error names the path.
    """
    if path.name in ("", ".."):
        raise ValueError(
            "`path` must end in the name of a file, such as run/best.keras. "
            f"Received: {str(path)!r}"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name("." + path.name)
    try:
        # A link of that name would redirect the writing.
        aside.unlink(missing_ok=True)
        yield aside
        _flush(aside)
        os.replace(aside, path)
    except OSError as error:
        # A write error names no file, and an open error names the temporary
        # file.
        if error.errno is not None and error.filename in (None, str(aside)):
            error.filename = str(path)
        raise
    finally:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
    # Otherwise a power failure may lose the new name, though not the old
    # file. Some systems cannot flush a folder.
    with contextlib.suppress(OSError):
        _flush(path.parent)


def lock(folder: pathlib.Path) -> bool:
    """Reserves a folder until this process ends or is killed.

    Args:
        folder: Existing folder.

    Returns:
        False if another process holds the folder. True also on systems without
        such locks, such as some network file systems.
    """
    if fcntl is None:
        return True
    # Never closed, since closing would free the folder.
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
    """Reads the text of a file.

    Args:
        path: Path of the file.

    Raises:
        ValueError: for a file that is not UTF-8 text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is damaged, or is not UTF-8 text: {error.reason} at byte "
            f"{error.start}. Restore the file, or move the file away."
        ) from error


def reason(error: Exception) -> str:
    """Why a file cannot be read, for a message of one line.

    Args:
        error: Error of a reader of zip, JSON or HDF5 files. Some readers quote
            bytes of the file at any length.

    Returns:
        First line of the error's text, at most 120 characters; the error's type
        if there is no text.
    """
    line = str(error).strip().split("\n")[0] or type(error).__name__
    return line if len(line) <= 120 else f"{line[:117]}..."


def _flush(path: pathlib.Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
